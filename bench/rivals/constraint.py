#!/usr/bin/env python3
"""llguidance on what bench/text/constraint_bench.cc measures: constraint.py TOKENIZER_FOLDER (a Hugging Face one).

Prints, as JSON, microseconds of compiling the schema and of one mask with its token, the median of 9 walks of the answer
(the first one apart). Needs PyPI llguidance and transformers.
"""
import json, pathlib, re, statistics, sys, time

import llguidance, llguidance.hf, llguidance.numpy, transformers

source = (pathlib.Path(__file__).parents[1] / "text" / "constraint_bench.cc").read_text()
schema = re.search(r'kSchema = R"\((.*?)\)";', source, re.S).group(1)
answer = "".join(re.findall(r'R"\((.*?)\)"', source[source.index("kAnswer"):source.index("const Tokenizer&")], re.S))
hf = transformers.AutoTokenizer.from_pretrained(sys.argv[1])
tokenizer = llguidance.hf.from_tokenizer(hf)
ids = hf.encode(answer, add_special_tokens=False)
mask = llguidance.numpy.allocate_token_bitmask(1, tokenizer.vocab_size)


def walk():
    begin = time.perf_counter()
    matcher = llguidance.LLMatcher(tokenizer, llguidance.LLMatcher.grammar_from_json_schema(schema))
    compiled = time.perf_counter()
    for token in ids:
        llguidance.numpy.fill_next_token_bitmask(matcher, mask)
        assert mask[0, token // 32] >> (token % 32) & 1 and matcher.consume_token(token)
    assert matcher.is_accepting()
    return (compiled - begin) * 1e6, (time.perf_counter() - compiled) * 1e6 / len(ids)


walks = [walk() for _ in range(10)]
print(json.dumps({"llguidance": llguidance.__version__ if hasattr(llguidance, "__version__") else "", "tokens": len(ids),
                  "first": walks[0], "compile_us": statistics.median(w[0] for w in walks[1:]),
                  "mask_us": statistics.median(w[1] for w in walks[1:])}))
