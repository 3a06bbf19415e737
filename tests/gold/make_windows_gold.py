#!/usr/bin/env python3
"""Makes windows.json: what transformers' fast tokenizers return with truncation, strides, padding and pairs, and what
tokenizers gives with the "truncation" and "padding" sections of a tokenizer.json.

usage: make_windows_gold.py > tests/gold/windows.json       (needs transformers and tokenizers)

{"texts", "pairs", "tokenizers": {name: tokenizer.json}, "cases": [{"tokenizer", "of": indices of texts, "pair": whether with
pairs, "options": keyword arguments of __call__, "results": [one a window: ids, type ids, attention mask, special tokens
mask, offsets, index of its text among them] or "error": true}], "files": [{"change": sections of the first tokenizer, "pair",
"results"}]}
"""
import copy
import itertools
import json
import pathlib
import sys

import tokenizers
import transformers

GOLD = pathlib.Path(__file__).parent
TEXTS = ["the film was good !", "bad", "", "the film was not good , not bad , the end of the film can don can not the film was un", "the 国 film"]
PAIRS = ["not bad", "the film was good and the film was bad and not the film can", "the", "good , bad !", ""]


MESSAGES = set()


def definitions():
    base = json.loads((GOLD / "tokenizer.json").read_text())["base"]
    vocabulary = base["model"]["vocab"]
    cls, sep = vocabulary["[CLS]"], vocabulary["[SEP]"]
    bert = copy.deepcopy(base)
    bert["post_processor"] = {"type": "BertProcessing", "sep": ["[SEP]", sep], "cls": ["[CLS]", cls]}
    roberta = copy.deepcopy(base)
    roberta["post_processor"] = {"type": "RobertaProcessing", "sep": ["[SEP]", sep], "cls": ["[CLS]", cls], "trim_offsets": True,
                                 "add_prefix_space": False}
    end = copy.deepcopy(base)  # T5's kind: one token at the end, pairs of one type
    end["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
                 {"Sequence": {"id": "B", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
        "special_tokens": {"[SEP]": {"id": "[SEP]", "ids": [sep], "tokens": ["[SEP]"]}}}
    return {"bert": bert, "roberta": roberta, "end": end}


def options():
    """Option sets, each of which is tried on single texts and on pairs."""
    yield {}
    yield {"padding": "longest"}
    yield {"padding": "longest", "pad_to_multiple_of": 8}
    yield {"padding": "longest", "padding_side": "left", "add_special_tokens": False}
    yield {"padding": "max_length", "max_length": 12}
    yield {"truncation": "longest_first", "max_length": 8, "padding": "max_length", "pad_to_multiple_of": 4}
    yield {"truncation": "longest_first", "max_length": 9, "padding": "max_length", "pad_to_multiple_of": 4}  # an error
    for side, (length, stride), strategy in itertools.product(
            ("right", "left"), ((6, 0), (7, 2), (9, 3), (20, 5)), ("longest_first", "only_first", "only_second")):
        yield {"truncation": strategy, "max_length": length, "stride": stride, "truncation_side": side,
               "return_overflowing_tokens": True}
    yield {"truncation": "longest_first", "max_length": 7, "stride": 1, "return_overflowing_tokens": True, "padding": "longest"}
    yield {"truncation": "only_second", "max_length": 16, "stride": 2, "return_overflowing_tokens": True, "padding": "max_length",
           "padding_side": "left"}
    yield {"truncation": "longest_first", "max_length": 5, "stride": 2, "add_special_tokens": False, "return_overflowing_tokens": True}


def rows(encoding, samples):
    return [[encoding["input_ids"][i], encoding["token_type_ids"][i], encoding["attention_mask"][i],
             encoding["special_tokens_mask"][i], encoding["offset_mapping"][i], samples[i]] for i in range(len(samples))]


def call_case(name, definition, group, pair, asked):
    texts = [TEXTS[i] for i in group]
    pairs = [PAIRS[i] for i in group] if pair else None
    side = {key: asked[key] for key in ("padding_side", "truncation_side") if key in asked}
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer.from_str(json.dumps(definition)),
                                                     pad_token="[PAD]", **side)
    keywords = {key: value for key, value in asked.items() if key not in side}
    case = {"tokenizer": name, "of": group, "pair": pair, "options": asked}
    try:
        encoding = tokenizer(texts, pairs, return_token_type_ids=True, return_special_tokens_mask=True,
                             return_offsets_mapping=True, **keywords)
    except BaseException as error:  # tokenizers panics on some
        if isinstance(error, KeyboardInterrupt):
            raise
        MESSAGES.add(str(error).splitlines()[0][:60])
        return case | {"error": True}
    samples = encoding.get("overflow_to_sample_mapping", list(range(len(texts))))
    return case | {"results": rows(encoding, samples)}


def file_case(definition, pair, change):
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(definition | change))
    batch = tokenizer.encode_batch(list(zip(TEXTS, PAIRS)) if pair else TEXTS)
    results = []
    for sample, one in enumerate(batch):
        for encoding in [one] + one.overflowing:
            results.append([encoding.ids, encoding.type_ids, encoding.attention_mask, encoding.special_tokens_mask,
                            encoding.offsets, sample])
    return {"change": change, "pair": pair, "results": results}


def main():
    gold = {"made_with": f"transformers {transformers.__version__}, tokenizers {tokenizers.__version__}", "texts": TEXTS,
            "pairs": PAIRS, "tokenizers": definitions(), "cases": [], "files": []}
    for name, definition in gold["tokenizers"].items():
        for pair in (False, True):
            for asked in options():
                if name != "bert" and asked.get("truncation_side") == "left" and asked["max_length"] != 7:
                    continue
                # Together, or one by one where one of them may be an error.
                hard = asked.get("truncation") in ("only_first", "only_second")
                groups = [[3], [4]] if hard and name == "bert" else [[3]] if hard else [list(range(len(TEXTS)))]
                for group in groups:
                    gold["cases"].append(call_case(name, definition, group, pair, asked))
    truncation = {"direction": "Right", "max_length": 9, "strategy": "LongestFirst", "stride": 2}
    padding = {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
               "pad_token": "[PAD]"}
    for change in ({"truncation": truncation, "padding": None}, {"truncation": truncation, "padding": padding},
                   {"truncation": None, "padding": padding | {"pad_to_multiple_of": 8, "direction": "Left", "pad_id": 1, "pad_type_id": 3}},
                   {"truncation": truncation | {"direction": "Left", "stride": 0, "max_length": 10},
                    "padding": padding | {"strategy": {"Fixed": 12}}}):
        for pair in (False, True):
            gold["files"].append(file_case(gold["tokenizers"]["bert"], pair, change))
    errors = [case for case in gold["cases"] if "error" in case]
    print(f"{len(gold['cases'])} cases, {len(errors)} of them errors: {sorted(MESSAGES)}", file=sys.stderr)
    json.dump(gold, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
