"""Writes seq2seq_FAMILY.json beside this file: what transformers computes for a tiny model of each encoder-decoder family.

The weights are decoder_models.py's formula of the tensor's name and index (the same in tests/support/tiny_decoder.h), so
that a test rebuilds the model from "tensors" without torch:

  {"config": config.json, "tensors": {name in the file: shape}, "ids": the source,
   "encoder_rows": [row], "encoder": [row][hidden], "decoder_ids": ids fed to the decoder, "logits": [position][vocab],
   "cases": [{"settings": as generate() takes them, "ids": [sequence], "scores": [sequence] of beam search}]}

usage: seq2seq_models.py [--folder DIR]   with DIR also keeps each model as a Hugging Face folder DIR/FAMILY
"""
import argparse
import json
import pathlib
import tempfile

import torch
import transformers
from decoder_models import weights
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForSeq2SeqLM

T5 = {"vocab_size": 100, "d_model": 32, "d_kv": 16, "d_ff": 48, "num_layers": 2, "num_heads": 4, "pad_token_id": 0,
      "relative_attention_num_buckets": 8, "relative_attention_max_distance": 20, "decoder_start_token_id": 0}
BART = {"vocab_size": 100, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
        "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 40, "max_position_embeddings": 64,
        "forced_eos_token_id": None, "forced_bos_token_id": None}
MODELS = {
    "t5": ("t5", T5 | {"feed_forward_proj": "relu"}),
    "mt5": ("mt5", T5 | {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
    "bart": ("bart", BART | {"pad_token_id": 1, "bos_token_id": 0, "decoder_start_token_id": 2}),
    "mbart": ("mbart", BART | {"pad_token_id": 1, "bos_token_id": 0, "decoder_start_token_id": 2,
                               "scale_embedding": True, "activation_function": "gelu"}),
    "marian": ("marian", BART | {"pad_token_id": 99, "bos_token_id": None, "decoder_start_token_id": 99,
                                 "scale_embedding": True, "activation_function": "swish"}),
    "m2m_100": ("m2m_100", BART | {"pad_token_id": 1, "bos_token_id": 0, "decoder_start_token_id": 2,
                                   "scale_embedding": True, "activation_function": "relu"}),
}
# Each must differ from the others in what it reaches: penalties, each kind of early stopping, each rule on tokens.
CASES = [
    {"max_length": 25},
    {"max_length": 25, "no_repeat_ngram_size": 3, "repetition_penalty": 1.3, "min_length": 8},
    {"max_length": 20, "num_beams": 4},
    {"max_length": 20, "num_beams": 4, "length_penalty": 2.0, "early_stopping": True, "no_repeat_ngram_size": 2,
     "num_return_sequences": 3},
    {"max_length": 16, "num_beams": 3, "length_penalty": 0.5, "early_stopping": "never", "min_length": 6,
     "num_return_sequences": 2},
    {"max_length": 12, "num_beams": 4, "length_penalty": -1.0, "forced_bos_token_id": 17, "forced_eos_token_id": 23,
     "bad_words_ids": [[31], [40, 41], [17, 50]], "num_return_sequences": 4},
    {"max_new_tokens": 9, "num_beams": 2, "repetition_penalty": 1.5, "suppress_tokens": [3, 5, 8, 13, 21, 34, 55]},
]


def build(model_type, options, folder):
    """A model whose file holds the formula's weights under the names that transformers writes; its tensors' shapes."""
    config = AutoConfig.for_model(model_type, **options)
    model = AutoModelForSeq2SeqLM.from_config(config, attn_implementation="eager", dtype=torch.float32)
    model.generation_config.forced_eos_token_id = None
    model.save_pretrained(folder)
    file = folder / "model.safetensors"
    with safe_open(file, "np") as opened:
        shapes = {name: list(opened.get_slice(name).get_shape()) for name in opened.keys()}
    # Marian computes its positions.
    shapes = {name: shape for name, shape in shapes.items() if model_type != "marian" or "embed_positions" not in name}
    if options.get("tie_word_embeddings") is False:
        shapes["lm_head.weight"] = [options["vocab_size"], options["d_model"]]
    save_file({name: torch.from_numpy(weights(name, shape)) for name, shape in shapes.items()}, file, {"format": "pt"})
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    untied = model.lm_head.weight.data_ptr() != model.get_input_embeddings().weight.data_ptr()
    assert untied == (options.get("tie_word_embeddings") is False), model_type
    return model, shapes


def choose_end(model, ids, start):
    """An end token that ends some hypotheses of every beam search and not all at once."""
    greedy = model.generate(torch.tensor([ids]), max_length=25, eos_token_id=None)[0].tolist()
    best = (-1, 0)
    for end in sorted(set(range(4, 99)) - {17, 23, 31, 40, 41, 50, 3, 5, 8, 13, 21, 34, 55}):
        lengths = []
        for case in CASES[2:5]:
            out = model.generate(torch.tensor([ids]), eos_token_id=end, pad_token_id=start,
                                 **(case | {"num_return_sequences": case["num_beams"]}))
            lengths.append(len({row.tolist().index(end) if end in row.tolist() else -1 for row in out}))
        best = max(best, (sum(lengths) - (5 if end in greedy[1:5] else 0), end))
    return best[1]


def make(family, model_type, options, folder):
    with tempfile.TemporaryDirectory() as scratch:
        saved_to = pathlib.Path(folder or scratch) / family
        saved_to.mkdir(parents=True, exist_ok=True)
        model, shapes = build(model_type, options, saved_to)
    ids = [(7 * i * i + 31 * i + 5) % 93 + 4 for i in range(37)]
    start = options["decoder_start_token_id"]
    end = choose_end(model, ids, start)
    model.config.eos_token_id = model.generation_config.eos_token_id = end
    ids[-1] = end
    decoder_ids = [start] + [(11 * i * i + 3 * i + 9) % 93 + 4 for i in range(30)]
    with torch.no_grad():
        states = model.get_encoder()(torch.tensor([ids])).last_hidden_state[0]
        logits = model(input_ids=torch.tensor([ids]), decoder_input_ids=torch.tensor([decoder_ids])).logits[0]
        positions = [0, 1, 9, 30]
        cases = []
        for settings in CASES:
            out = model.generate(torch.tensor([ids]), return_dict_in_generate=True, output_scores=True, **settings)
            rows = []
            for row in out.sequences.tolist():
                row = row[1:]
                rows.append(row[: row.index(end) + 1] if end in row else row)
            # Rows of one batch are padded with the end or pad token: what follows a forced end is no text.
            case = {"settings": settings, "ids": rows}
            if settings.get("num_beams", 1) > 1:
                case["scores"] = [round(float(x), 6) for x in out.sequences_scores]
            cases.append(case)
    config = model.config.to_dict() | {"architectures": [type(model).__name__]}
    for key in ("transformers_version", "_name_or_path", "dtype"):
        config.pop(key, None)
    rows = [0, 18, 36]
    gold = {"made_with": "transformers " + transformers.__version__ + ", float32, eager attention", "config": config,
            "tensors": shapes, "ids": ids, "encoder_rows": rows,
            "encoder": [[round(float(x), 6) for x in states[r]] for r in rows], "decoder_ids": decoder_ids,
            "positions": positions, "logits": [[round(float(x), 6) for x in logits[p]] for p in positions],
            "cases": cases}
    path = pathlib.Path(__file__).parent / f"seq2seq_{family}.json"
    path.write_text(json.dumps(gold, separators=(",", ":")) + "\n")
    lengths = [[len(row) for row in case["ids"]] for case in cases]
    print(f"{family:8} {len(shapes):3} tensors, end {end}, logits {float(logits.std()):.3f} std, lengths {lengths}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for family, (model_type, options) in MODELS.items():
        make(family, model_type, options, arguments.folder)
