"""Writes decoder_lora.json beside this file: what peft computes for a LoRA adapter on each model of decoder_models.py.

The base is the model of decoder_FAMILY.json; the adapter's weights are the same formula of the tensor's name in
adapter_model.safetensors, lora_B's times a quarter (so that the base still shows). By family:

  {"config": adapter_config.json as peft wrote it, "tensors": {name in the file: shape},
   "logits": [position][vocab], "greedy": ids that follow the prompt}     ids and positions are decoder_FAMILY.json's

usage: decoder_lora.py [--folder DIR]   with DIR also writes each adapter as peft saves it, DIR/FAMILY
"""
import argparse
import json
import pathlib
import tempfile

import peft
import torch
from safetensors import safe_open

import decoder_models

LLAMA = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ADAPTERS = {
    "llama": {"r": 4, "lora_alpha": 6, "target_modules": LLAMA,
              "rank_pattern": {"layers.1.self_attn.q_proj": 7, "down_proj": 3}, "alpha_pattern": {"v_proj": 1.5}},
    "llama3": {"r": 8, "lora_alpha": 16, "target_modules": "all-linear"},
    "mistral": {"r": 5, "lora_alpha": 7, "target_modules": ["q_proj", "v_proj"], "use_rslora": True},
    "qwen2": {"r": 2, "lora_alpha": 3, "target_modules": ["o_proj", "up_proj"], "layers_to_transform": [0, 2]},
    "qwen3": {"r": 6, "lora_alpha": 6, "target_modules": LLAMA + ["lm_head"]},
    "gpt2": {"r": 4, "lora_alpha": 4, "target_modules": ["c_attn", "c_proj", "c_fc"], "fan_in_fan_out": True},
    "gpt_neox": {"r": 4, "lora_alpha": 4,
                 "target_modules": ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]},
    "phi3": {"r": 4, "lora_alpha": 8, "target_modules": ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]},
    "gemma2": {"r": 4, "lora_alpha": 8, "target_modules": r".*\.(self_attn\.[qkvo]_proj|mlp\.\w+_proj)"},
    "gemma3": {"r": 3, "lora_alpha": 3, "target_modules": ["k_proj", "gate_proj", "down_proj"]},
}


def make(family, options, folder):
    model_type, sizes = decoder_models.MODELS[family]
    base, _ = decoder_models.build(family, model_type, sizes)
    model = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", **options)).eval()
    tensors = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                name = name.replace(".default", "")
                tensors[name] = list(parameter.shape)
                values = torch.from_numpy(decoder_models.weights(name, tensors[name]))
                parameter.copy_(values * 0.25 if "lora_B" in name else values)
    logits, greedy, margin = decoder_models.run(model)
    with tempfile.TemporaryDirectory() as scratch:
        saved_to = pathlib.Path(folder or scratch) / family
        model.save_pretrained(saved_to, save_embedding_layers=False)
        config = json.loads((saved_to / "adapter_config.json").read_text())
        with safe_open(saved_to / "adapter_model.safetensors", "np") as file:
            assert set(file.keys()) == set(tensors), set(file.keys()) ^ set(tensors)
    print(f"{family:9} {len(tensors):3} tensors, smallest greedy margin {margin:.2e}, {len(set(greedy))} distinct ids")
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()  # peft keeps them in a set
    return {"config": config, "tensors": tensors,
            "logits": [[round(float(x), 6) for x in logits[p]] for p in decoder_models.POSITIONS], "greedy": greedy}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    gold = {"made_with": f"peft {peft.__version__}, float32",
            "adapters": {family: make(family, options, arguments.folder) for family, options in ADAPTERS.items()}}
    path = pathlib.Path(__file__).parent / "decoder_lora.json"
    path.write_text(json.dumps(gold, separators=(",", ":")) + "\n")
