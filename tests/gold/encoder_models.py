"""Writes encoder_FAMILY.json beside this file: what transformers computes for tiny encoders of each family, by every head.

The weights are the formula of decoder_models.py (weights(); the same in tests/support/tiny_decoder.h), so that a test
rebuilds each model from "tensors" without torch:

  {"texts": [{"ids", "types"?, "positions": tokens whose numbers are kept}],
   "heads": {"none" | "sequence" | "token" | "qa" | "mlm":
     {"config": config.json, "tensors": {name in the file: shape},
      "hidden": [text][position][hidden] (none), "logits": [text][label] (sequence) or [text][position][output]}}}

usage: encoder_models.py [--folder DIR] [FAMILY...]   with DIR also writes each model as a folder DIR/FAMILY-HEAD
"""
import argparse
import json
import pathlib
import tempfile

import torch
import transformers
from decoder_models import weights
from safetensors import safe_open
from transformers import (AutoConfig, AutoModel, AutoModelForMaskedLM, AutoModelForQuestionAnswering,
                          AutoModelForSequenceClassification, AutoModelForTokenClassification)

HEADS = {"none": AutoModel, "sequence": AutoModelForSequenceClassification, "token": AutoModelForTokenClassification,
         "qa": AutoModelForQuestionAnswering, "mlm": AutoModelForMaskedLM}
SIZES = {"vocab_size": 120, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48,
         "max_position_embeddings": 160, "pad_token_id": 0}
ROBERTA = SIZES | {"max_position_embeddings": 162, "pad_token_id": 1, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
MODELS = {
    "bert": ("bert", SIZES),
    "roberta": ("roberta", ROBERTA),
    "xlm_roberta": ("xlm-roberta", ROBERTA),
    "distilbert": ("distilbert", {"vocab_size": 120, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48,
                                  "max_position_embeddings": 160}),
    "mpnet": ("mpnet", SIZES | {"max_position_embeddings": 162, "pad_token_id": 1}),
    "electra": ("electra", SIZES | {"embedding_size": 24}),
    "electra_wide": ("electra", SIZES | {"embedding_size": 32}),
    # Windows of 8 tokens in two of three layers, and texts of several blocks of rows.
    "modernbert": ("modernbert", SIZES | {"num_hidden_layers": 4, "local_attention": 16, "bos_token_id": 2,
                                          "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}),
    "modernbert_mean": ("modernbert", SIZES | {
        "num_hidden_layers": 2, "local_attention": 64, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2,
        "sep_token_id": 3, "classifier_pooling": "mean", "attention_bias": True, "mlp_bias": True, "norm_bias": True,
        "classifier_bias": True, "global_attn_every_n_layers": 2}),
    # v3's options, with buckets that texts of 150 tokens fill and leave.
    "deberta_v2": ("deberta-v2", SIZES | {
        "relative_attention": True, "position_buckets": 16, "max_relative_positions": 64, "norm_rel_ebd": "layer_norm",
        "share_att_key": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False, "type_vocab_size": 0}),
    "deberta_c2p": ("deberta-v2", SIZES | {
        "relative_attention": True, "max_relative_positions": 20, "share_att_key": True, "pos_att_type": "c2p",
        "position_biased_input": True, "type_vocab_size": 2}),
    # v2-xlarge's convolution beside the first layer.
    "deberta_conv": ("deberta-v2", SIZES | {
        "relative_attention": True, "position_buckets": 16, "max_relative_positions": 64, "norm_rel_ebd": "layer_norm",
        "share_att_key": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False, "type_vocab_size": 0,
        "conv_kernel_size": 3, "conv_act": "gelu"}),
    # One layer, which is the first and the last; more neighbours than the intermediate layer is wide.
    "deberta_conv_wide": ("deberta-v2", SIZES | {
        "relative_attention": True, "max_relative_positions": 20, "share_att_key": True, "pos_att_type": "c2p",
        "position_biased_input": True, "type_vocab_size": 2, "num_hidden_layers": 1, "conv_kernel_size": 5}),
}


def texts_of(config):
    texts = []
    for length in (7, 150, 1, 33):
        ids = [(7 * i * i + 31 * i + 5 * length) % 113 + 5 for i in range(length)]
        text = {"ids": ids, "positions": sorted({0, length // 2, length - 1})}
        if length == 33 and getattr(config, "type_vocab_size", 0) > 1:
            text["types"] = [int(i > 11) for i in range(length)]
        texts.append(text)
    return texts


def round6(tensor):
    return [round(float(x), 6) for x in tensor]


def make(family, model_type, options, head, folder):
    labels = {"sequence": 3, "token": 5, "qa": 2}.get(head, 2)
    config = AutoConfig.for_model(model_type, **options, num_labels=labels)
    model = HEADS[head].from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    shared = set(getattr(model, "all_tied_weights_keys", None) or [])
    tensors = {}
    case = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters(remove_duplicate=False):
            if name not in shared:
                tensors[name] = list(parameter.shape)
                parameter.copy_(torch.from_numpy(weights(name, list(parameter.shape))))
        for text in texts_of(config):
            inputs = {"input_ids": torch.tensor([text["ids"]])}
            if "types" in text:
                inputs["token_type_ids"] = torch.tensor([text["types"]])
            out = model(**inputs)
            if head == "none":
                case.setdefault("hidden", []).append([round6(out.last_hidden_state[0, p]) for p in text["positions"]])
            elif head == "sequence":
                case.setdefault("logits", []).append(round6(out.logits[0]))
            elif head == "qa":
                both = torch.stack([out.start_logits[0], out.end_logits[0]], -1)
                case.setdefault("logits", []).append([round6(both[p]) for p in text["positions"]])
            else:
                case.setdefault("logits", []).append([round6(out.logits[0, p]) for p in text["positions"]])
    saved = config.to_dict() | {"architectures": [type(model).__name__]}
    for key in ("transformers_version", "_name_or_path"):
        saved.pop(key, None)
    with tempfile.TemporaryDirectory() as scratch:
        saved_to = pathlib.Path(folder or scratch) / f"{family}-{head}"
        model.save_pretrained(saved_to)
        with safe_open(saved_to / "model.safetensors", "np") as file:
            assert set(file.keys()) == set(tensors), set(file.keys()) ^ set(tensors)
    return texts_of(config), {"config": saved, "tensors": tensors} | case


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder")
    parser.add_argument("families", nargs="*", default=list(MODELS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for family in arguments.families:
        model_type, options = MODELS[family]
        gold = {"made_with": "transformers " + transformers.__version__ + ", float32, eager attention", "heads": {}}
        for head in HEADS:
            gold["texts"], gold["heads"][head] = make(family, model_type, options, head, arguments.folder)
        path = pathlib.Path(__file__).parent / f"encoder_{family}.json"
        path.write_text(json.dumps(gold, separators=(",", ":")) + "\n")
        print(f"{family}: {path.stat().st_size} bytes")
