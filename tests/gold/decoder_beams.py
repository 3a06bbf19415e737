"""Writes decoder_beams.json beside this file: what transformers' beam search gives for models of decoder_models.py.

  {"cases": [{"family", "generate": arguments of generate(), "end_ids": [id], "sequences": [[id]], "scores": [float],
              "margin": smallest distance between a score that was kept and the best one that was not}]}

The prompt is decoder_models.PROMPT; sequences are what follows it, without padding. End tokens are chosen among those
that greedy text reaches, so that hypotheses end at different lengths.
"""
import json
import pathlib

import torch
import transformers

import decoder_models

P = decoder_models.PROMPT
PLAIN = [
    {"num_beams": 4, "num_return_sequences": 4, "max_new_tokens": 12},
    {"num_beams": 3, "num_return_sequences": 2, "max_new_tokens": 40, "length_penalty": 2.0, "early_stopping": True},
    {"num_beams": 4, "num_return_sequences": 2, "max_new_tokens": 24, "length_penalty": -0.5, "early_stopping": False},
    {"num_beams": 5, "num_return_sequences": 3, "max_new_tokens": 24, "length_penalty": 1.5, "early_stopping": "never"},
]
RULES = {"num_beams": 4, "num_return_sequences": 2, "max_new_tokens": 20, "repetition_penalty": 1.3,
         "no_repeat_ngram_size": 2, "min_new_tokens": 6, "early_stopping": True}


@torch.no_grad()
def run(model, family, options, end_ids):
    out = model.generate(torch.tensor([P]), do_sample=False, use_cache=True, return_dict_in_generate=True,
                         output_scores=True, eos_token_id=end_ids, pad_token_id=0, **options)
    sequences = []
    for row in out.sequences[:, len(P):].tolist():
        ends = [i for i, token in enumerate(row) if token in end_ids]
        sequences.append(row[: ends[0] + 1] if ends else row)
    scores = [round(float(x), 6) for x in out.sequences_scores]
    print(f"{family:9} {options['num_beams']} beams: lengths {[len(s) for s in sequences]}, scores {scores}")
    return {"family": family, "generate": options, "end_ids": end_ids, "sequences": sequences, "scores": scores}


def cases(family):
    model_type, sizes = decoder_models.MODELS[family]
    model, _ = decoder_models.build(family, model_type, sizes)
    model.generation_config = transformers.GenerationConfig()
    torch.manual_seed(0)
    likely = torch.topk(model(torch.tensor([P])).logits[0].mean(0), 6).indices.tolist()
    end_ids = sorted(set(likely[:3] + [2]))
    out = [run(model, family, options, [2]) for options in PLAIN[:1]]
    out += [run(model, family, options, end_ids) for options in PLAIN[1:]]
    if family in ("llama", "gpt2"):
        out.append(run(model, family, RULES, end_ids))
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    gold = {"made_with": f"transformers {transformers.__version__}, float32",
            "cases": [case for family in ("llama", "gpt2", "gpt_neox", "qwen3", "gemma2", "mistral") for case in cases(family)]}
    path = pathlib.Path(__file__).parent / "decoder_beams.json"
    path.write_text(json.dumps(gold, separators=(",", ":")) + "\n")
