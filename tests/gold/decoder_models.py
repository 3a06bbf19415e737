"""Writes decoder_FAMILY.json beside this file: what transformers computes for a tiny model of each decoder family.

The weights are no random numbers but a formula of the tensor's name and index (weights(), below; the same in
tests/support/tiny_decoder.h), so that a test rebuilds the model from "tensors" without torch:

  {"config": config.json, "tensors": {name in the file: shape}, "ids": prompt,
   "positions": rows of the logits that are kept, "logits": [position][vocab], "greedy": ids that follow the prompt}

usage: decoder_models.py [--folder DIR]   with DIR also writes each model as a Hugging Face folder DIR/FAMILY
"""
import argparse
import json
import pathlib
import tempfile

import numpy as np
import torch
import transformers
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM

U64 = np.uint64


def weights(name, shape):
    """Value i of a tensor: u = splitmix64(fnv1a64(name) + i * golden) as a number in [-1, 1) of 24 bits, then scaled."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    with np.errstate(over="ignore"):
        count = int(np.prod(shape))
        z = U64(seed) + (np.arange(count, dtype=U64) + U64(1)) * U64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> U64(30))) * U64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> U64(27))) * U64(0x94D049BB133111EB)
        z = z ^ (z >> U64(31))
    u = ((z >> U64(40)).astype(np.float64) - 2.0**23) / 2.0**23
    if len(shape) == 1:
        # A norm's factor lies around 1 (around 0 where the model adds 1 itself: the engine must, too).
        values = 0.1 * u + (1.0 if name.endswith("weight") else 0.0)
    else:
        # Embeddings small beside what the layers add, or tied models would repeat the last token for ever.
        embedding = any(part in name for part in ("embed_tokens", "embed_in", "wte", "wpe", "shared", "embed_pos"))
        values = u * ((1.0 if embedding else 3.0) / np.sqrt(float(shape[1])))
    return values.astype(np.float32).reshape(shape)


SIZES = {"vocab_size": 160, "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 96,
         "max_position_embeddings": 128, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
GROUPED = SIZES | {"num_key_value_heads": 2}
MODELS = {
    "llama": ("llama", GROUPED | {"rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True}),
    "llama3": ("llama", GROUPED | {
        "rms_norm_eps": 1e-5, "head_dim": 32, "attention_bias": True, "mlp_bias": True,
        "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                            "high_freq_factor": 4.0, "original_max_position_embeddings": 32}}),
    "mistral": ("mistral", GROUPED | {"sliding_window": 8, "head_dim": 16}),
    "qwen2": ("qwen2", GROUPED | {"rope_theta": 1000000.0, "tie_word_embeddings": True}),
    "qwen3": ("qwen3", GROUPED | {"rope_theta": 1000000.0, "head_dim": 32}),
    "gpt2": ("gpt2", {"vocab_size": 160, "n_embd": 64, "n_layer": 3, "n_head": 4, "n_positions": 128,
                      "bos_token_id": 1, "eos_token_id": 2}),
    "gpt_neox": ("gpt_neox", SIZES | {"rotary_pct": 0.25, "use_parallel_residual": True}),
    "phi3": ("phi3", GROUPED | {
        "sliding_window": 12, "original_max_position_embeddings": 16,
        "rope_parameters": {"rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 0.75,
                            "short_factor": [1.0, 1.0, 1.5, 1.5, 2.0, 2.0],
                            "long_factor": [1.0, 1.25, 2.0, 4.0, 8.0, 8.0]}}),
    "gemma2": ("gemma2", GROUPED | {"head_dim": 32, "sliding_window": 8, "query_pre_attn_scalar": 24,
                                    "attn_logit_softcapping": 5.0, "final_logit_softcapping": 3.0}),
    "gemma3": ("gemma3_text", GROUPED | {"head_dim": 32, "sliding_window": 8, "query_pre_attn_scalar": 32,
                                         "num_hidden_layers": 4, "sliding_window_pattern": 3, "rope_parameters": {
                                             "full_attention": {"rope_type": "linear", "factor": 4.0,
                                                                "rope_theta": 1000000.0},
                                             "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}}),
}


# Where transformers has another name in memory than in the files that it writes and that models are published in.
FILE_NAMES = {"gpt_neox": {"lm_head.weight": "embed_out.weight"}}


def build(family, model_type, options):
    """The model with its weights set, and the shapes of the tensors that save_pretrained writes (tied ones once)."""
    config = AutoConfig.for_model(model_type, **options)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    shared = set(getattr(model, "all_tied_weights_keys", None) or [])
    tensors = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in shared and config.tie_word_embeddings:
                continue
            name = FILE_NAMES.get(family, {}).get(name, name)
            tensors[name] = list(parameter.shape)
            parameter.copy_(torch.from_numpy(weights(name, list(parameter.shape))))
    return model, tensors


PROMPT = [1] + [(7 * i * i + 31 * i + 5) % 157 + 3 for i in range(23)]
POSITIONS = [0, 11, 23]


@torch.no_grad()
def run(model):
    """Logits [position][vocab] of the prompt, the greedy ids that follow it, and the smallest margin between two best."""
    logits = model(torch.tensor([PROMPT])).logits[0]
    greedy, text, margins = [], list(PROMPT), []
    for _ in range(24):
        row = model(torch.tensor([text]), use_cache=False).logits[0, -1]
        top = torch.topk(row, 2).values
        margins.append(float(top[0] - top[1]))
        text.append(int(row.argmax()))
        greedy.append(text[-1])
    return logits, greedy, min(margins)


def make(family, model_type, options, folder):
    model, tensors = build(family, model_type, options)
    logits, greedy, margin = run(model)
    saved = model.config.to_dict() | {"architectures": [type(model).__name__]}
    for key in ("transformers_version", "_name_or_path"):
        saved.pop(key, None)
    gold = {"made_with": "transformers " + transformers.__version__ + ", float32, eager attention", "config": saved,
            "tensors": tensors, "ids": PROMPT, "positions": POSITIONS,
            "logits": [[round(float(x), 6) for x in logits[p]] for p in POSITIONS], "greedy": greedy}
    path = pathlib.Path(__file__).parent / f"decoder_{family}.json"
    path.write_text(json.dumps(gold, separators=(",", ":")) + "\n")
    print(f"{family:9} {len(tensors):3} tensors, logits {float(logits.std()):.3f} std, "
          f"smallest greedy margin {margin:.2e}, {len(set(greedy))} distinct greedy ids")
    with tempfile.TemporaryDirectory() as scratch:
        saved_to = pathlib.Path(folder or scratch) / family
        model.save_pretrained(saved_to)
        with safe_open(saved_to / "model.safetensors", "np") as file:
            assert set(file.keys()) == set(tensors), set(file.keys()) ^ set(tensors)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for family, (model_type, options) in MODELS.items():
        make(family, model_type, options, arguments.folder)
