"""Writes tasks.json beside this file: what transformers' pipelines answer over tiny BERT models with formula weights.

The models are those of encoder_models.py's formula; the tokenizer is BERT's with the vocabulary of tests/support/tiny_bert.h. Question answering, which
transformers 5 has no pipeline for, is computed here the plain way its predecessor defined it: the best start * end of the
context's tokens, window by window.

  {"models": {head: {"config", "tensors"}}, "ner": [{"text", strategy: result}], "mask": [...], "zero_shot": [...],
   "pairs": [...], "qa": [...]}
"""
import json
import pathlib
import tempfile

import torch
import transformers
from decoder_models import weights
from encoder_models import HEADS, SIZES
from transformers import AutoConfig, PreTrainedTokenizerFast, pipeline

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + (
    "the a is was not very good bad great awful movie film i love hate this and but it plot actor . , !").split()
LETTERS = [chr(ord("a") + i) for i in range(26)]


def vocabulary():
    words = list(WORDS)
    for letter in LETTERS:
        if letter not in "ai":
            words.append(letter)
        words.append("##" + letter)
    return words


def tokenizer():
    vocab = {word: i for i, word in enumerate(vocabulary())}
    special = lambda token: {"SpecialToken": {"id": token, "type_id": 0}}
    part = lambda which, kind: {"Sequence": {"id": which, "type_id": kind}}
    entry = lambda token: {"id": token, "ids": [vocab[token]], "tokens": [token]}
    sep_b = {"SpecialToken": {"id": "[SEP]", "type_id": 1}}
    data = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": WORDS[i], "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for i in range(5)],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                       "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": [special("[CLS]"), part("A", 0), special("[SEP]")],
                           "pair": [special("[CLS]"), part("A", 0), special("[SEP]"), part("B", 1), sep_b],
                           "special_tokens": {"[CLS]": entry("[CLS]"), "[SEP]": entry("[SEP]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocab}}
    path = pathlib.Path(tempfile.mkdtemp()) / "tokenizer.json"
    path.write_text(json.dumps(data))
    return PreTrainedTokenizerFast(tokenizer_file=str(path), unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
                                   mask_token="[MASK]", pad_token="[PAD]",
                                   model_input_names=["input_ids", "token_type_ids", "attention_mask"])


def model_of(head, labels=None):
    options = {"id2label": labels, "label2id": {v: k for k, v in labels.items()}} if labels else {}
    config = AutoConfig.for_model("bert", **SIZES, **options)
    model = HEADS[head].from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    shared = set(getattr(model, "all_tied_weights_keys", None) or [])
    tensors = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters(remove_duplicate=False):
            if name not in shared:
                tensors[name] = list(parameter.shape)
                parameter.copy_(torch.from_numpy(weights(name, list(parameter.shape))))
    saved = config.to_dict() | {"architectures": [type(model).__name__]}
    for key in ("transformers_version", "_name_or_path"):
        saved.pop(key, None)
    return model, {"config": saved, "tensors": tensors}


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return round(float(value), 6) if hasattr(value, "dtype") or isinstance(value, float) else value


def answer(model, tok, question, context, longest):
    """The best span and its probability, when all fits one window."""
    encoded = tok(question, context, return_tensors="pt", return_offsets_mapping=True)
    offsets = encoded.pop("offset_mapping")[0].tolist()
    with torch.no_grad():
        out = model(**encoded)
    of_context = [i for i in range(len(offsets)) if encoded.sequence_ids(0)[i] == 1]
    kept = [0] + of_context
    start = torch.softmax(out.start_logits[0][kept], -1).tolist()
    end = torch.softmax(out.end_logits[0][kept], -1).tolist()
    spans = [(start[i] * end[j], i, j) for i in range(1, len(kept)) for j in range(i, min(len(kept), i + longest))]
    score, i, j = max(spans)
    return {"question": question, "context": context, "max_answer_len": longest, "score": round(score, 6),
            "token_start": offsets[kept[i]][0], "token_end": offsets[kept[j]][1],
            "null_score": round(start[0] * end[0], 6)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    tok = tokenizer()
    gold = {"made_with": "transformers " + transformers.__version__, "models": {}, "ner": [], "mask": [], "qa": []}
    tags = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}
    model, gold["models"]["token"] = model_of("token", tags)
    for text in ("I love Anna and Bobby, but Österreich was awful!", "the movie", "zebra quiz über it. great plot actor",
                 "this movie is very good and the plot was not bad, i hate the actor joe xu of the 中 film"):
        case = {"text": text}
        for strategy in ("none", "simple", "first", "average", "max"):
            ner = pipeline("token-classification", model=model, tokenizer=tok, aggregation_strategy=strategy)
            case[strategy] = plain(ner(text))
        gold["ner"].append(case)
    model, gold["models"]["mlm"] = model_of("mlm")
    fill = pipeline("fill-mask", model=model, tokenizer=tok)
    for text, options in (("the movie is [MASK] good.", {}), ("[MASK] love [MASK] film", {"top_k": 3}),
                          ("it was [MASK]!", {"targets": ["great", "awful", "plot"], "top_k": 2})):
        gold["mask"].append({"text": text, "parameters": options, "result": plain(fill(text, **options))})
    model, gold["models"]["nli"] = model_of("sequence", {0: "contradiction", 1: "neutral", 2: "entailment"})
    zero = pipeline("zero-shot-classification", model=model, tokenizer=tok)
    gold["zero_shot"] = [plain(zero("this film was great", ["good", "bad", "very awful"], **options)) | {"parameters": options}
                         for options in ({}, {"multi_label": True}, {"hypothesis_template": "it is {}!"})]
    classify = pipeline("text-classification", model=model, tokenizer=tok, top_k=None)
    pairs = [("the movie is good", "i love it"), ("i hate the plot and the actor", "the film")]
    gold["pairs"] = [{"text": a, "text_pair": b, "result": plain(classify({"text": a, "text_pair": b}))} for a, b in pairs]
    model, gold["models"]["qa"] = model_of("qa")
    gold["qa"] = [answer(model, tok, "is it good", "the movie is very good, but the plot was awful and the actor bad",
                         longest) for longest in (3, 15)]
    path = pathlib.Path(__file__).parent / "tasks.json"
    path.write_text(json.dumps(gold, separators=(",", ":"), ensure_ascii=False) + "\n")
    print(path.stat().st_size, "bytes")
