#!/usr/bin/env python3
"""OpenAI's own client against `slipway serve`: openai_check.py PROGRAM TOKENIZER_JSON SHARED (the last two are not needed).

A tiny decoder whose greedy text transformers computed (tests/gold), and MiniLM's folder for embeddings. Each answer is held
to the client's own types, strictly: a client that does not raise proves little. Exit code 77: openai is not installed.
"""
import base64, json, pathlib, struct, subprocess, sys, tempfile, urllib.request

from served import Server

try:
    import openai
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

MINILM = pathlib.Path(sys.argv[2]).parent
ROOT = pathlib.Path(__file__).parents[2]
GREEDY = "w126 w118 w8 w76 w120 w138 w115 w45 w154 w77 w49 w151 w115 w157 w77 w23"


def strict(answer):
    """The answer again through the client's type, with every required field there and nothing of a wrong type."""
    type(answer).model_validate(answer.model_dump(), strict=True)
    return answer


def refused(kind, call, **wanted):
    try:
        call()
    except kind as error:
        for name, value in wanted.items():
            assert getattr(error, name) == value, (name, getattr(error, name), value)
        assert set(error.body) == {"message", "type", "param", "code"}, error.body
        return
    raise AssertionError(f"no {kind.__name__}")


def generate(client, prompt):
    models = client.models.list()
    assert [m.id for m in models] == ["tiny"] and models.data[0].object == "model"
    strict(client.models.retrieve("tiny"))
    refused(openai.NotFoundError, lambda: client.models.retrieve("nope"), code="model_not_found")

    whole = strict(client.completions.create(model="tiny", prompt=prompt, max_tokens=16, temperature=0))
    assert whole.choices[0].text == GREEDY, whole.choices[0].text
    assert whole.choices[0].finish_reason == "length" and whole.usage.completion_tokens == 16
    # OpenAI itself sends a null finish_reason here, which the client's type does not know: not strict.
    pieces = list(client.completions.create(model="tiny", prompt=prompt, max_tokens=16, temperature=0, stream=True))
    assert "".join(c.choices[0].text for c in pieces) == GREEDY
    assert pieces[-1].choices[0].finish_reason == "length"
    scored = strict(client.completions.create(model="tiny", prompt=prompt, max_tokens=3, temperature=0, logprobs=2))
    assert len(scored.choices[0].logprobs.tokens) == 3 and len(scored.choices[0].logprobs.top_logprobs[0]) == 2
    many = strict(client.completions.create(model="tiny", prompt=[prompt, "w5"], n=2, max_tokens=4, temperature=0))
    assert [c.index for c in many.choices] == [0, 1, 2, 3] and many.choices[0].text == many.choices[1].text
    beams = strict(client.completions.create(model="tiny", prompt=prompt, max_tokens=12, n=4, extra_body={"use_beam_search": True}))
    assert len({c.text for c in beams.choices}) == 4 and beams.usage.completion_tokens == 48, beams
    best = client.completions.create(model="tiny", prompt=prompt, max_tokens=8, temperature=2, seed=3, n=1, best_of=5, logprobs=0)
    apart = client.completions.create(model="tiny", prompt=prompt, max_tokens=8, temperature=2, seed=3, n=5, logprobs=0)
    likeliest = max(apart.choices, key=lambda c: sum(c.logprobs.token_logprobs) / len(c.logprobs.token_logprobs))
    assert best.choices[0].text == likeliest.text, (best, apart)
    stopped = client.completions.create(model="tiny", prompt=prompt, temperature=0, max_tokens=16, stop=["w120"])
    assert stopped.choices[0].text == "w126 w118 w8 w76 " and stopped.choices[0].finish_reason == "stop"

    messages = [{"role": "system", "content": "w5"}, {"role": "user", "content": [{"type": "text", "text": "w6"}]}]
    chat = strict(client.chat.completions.create(model="tiny", messages=messages, max_tokens=8, temperature=0,
                                                 logprobs=True, top_logprobs=3))
    content = chat.choices[0].logprobs.content
    assert len(content) == 8 and len(content[0].top_logprobs) == 3 and content[0].logprob <= 0
    assert bytes(content[0].bytes).decode() == content[0].token and content[0].top_logprobs[0].token == content[0].token
    same = client.completions.create(model="tiny", prompt="w5 w6 w9", max_tokens=8, temperature=0)
    assert same.choices[0].text == chat.choices[0].message.content
    chunks = [strict(c) for c in client.chat.completions.create(model="tiny", messages=messages, max_tokens=8, temperature=0,
                                                                stream=True, stream_options={"include_usage": True})]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == chat.choices[0].message.content
    assert chunks[-1].choices == [] and chunks[-1].usage == chat.usage
    seeded = [client.chat.completions.create(model="tiny", messages=messages, max_tokens=8, temperature=2, seed=5, n=2)
              for _ in range(2)]
    texts = [[c.message.content for c in s.choices] for s in seeded]
    assert texts[0] == texts[1] and texts[0][0] != texts[0][1], texts

    chat_with = lambda **more: client.chat.completions.create(**({"model": "tiny", "messages": messages} | more))
    refused(openai.NotFoundError, lambda: chat_with(model="gpt-5"), param="model", code="model_not_found")
    refused(openai.BadRequestError, lambda: chat_with(messages=[]), param="messages")
    refused(openai.BadRequestError, lambda: chat_with(temperature=-1), param="temperature")
    refused(openai.BadRequestError, lambda: chat_with(tools=[{"type": "function"}]), param="tools")
    refused(openai.BadRequestError, lambda: chat_with(response_format={"type": "json_schema", "json_schema": {
        "name": "n", "schema": {"not": {}}}}), param="response_format")
    one = strict(chat_with(extra_body={"guided_choice": ["w5 w6", "w7"]}, temperature=0))
    assert one.choices[0].message.content in ("w5 w6", "w7") and one.choices[0].finish_reason == "stop"
    refused(openai.BadRequestError, lambda: chat_with(messages=[{"role": "user", "content": "w5 " * 300}]),
            code="context_length_exceeded")
    refused(openai.NotFoundError, lambda: client.responses.create(model="tiny", input="x"))

    stream = client.completions.create(model="tiny", prompt=prompt, max_tokens=100, temperature=1, stream=True)
    next(iter(stream))
    stream.close()  # a client that leaves in the middle harms nobody
    assert client.completions.create(model="tiny", prompt=prompt, max_tokens=16, temperature=0).choices[0].text == GREEDY


PERSON = {"type": "object", "additionalProperties": False, "required": ["name", "age", "likes"], "properties": {
    "name": {"type": "string", "maxLength": 20}, "age": {"type": "integer", "minimum": 0, "maximum": 120},
    "likes": {"type": "array", "items": {"enum": ["tea", "rain", "boats"]}, "maxItems": 2}}}


def fits_person(text):
    person = json.loads(text)
    assert list(person) == ["name", "age", "likes"] and len(person["name"]) <= 20 and 0 <= person["age"] <= 120, person
    assert len(person["likes"]) <= 2 and set(person["likes"]) <= {"tea", "rain", "boats"}, person


def structured(client):
    """A real vocabulary held to a schema, an object, and calls of tools."""
    def ask(question, **more):
        return client.chat.completions.create(model="smol", messages=[{"role": "user", "content": question}], seed=3, **more)

    wanted = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON}}
    for temperature in (0, 1, 2):
        answer = strict(ask("Describe a sailor.", response_format=wanted, temperature=temperature, max_tokens=200))
        assert answer.choices[0].finish_reason == "stop", answer
        fits_person(answer.choices[0].message.content)
    pieces = [strict(c) for c in ask("Describe a sailor.", response_format=wanted, max_tokens=200, stream=True)]
    fits_person("".join(c.choices[0].delta.content or "" for c in pieces if c.choices))
    answer = ask("Answer in JSON: which sea is the deepest?", response_format={"type": "json_object"}, temperature=0, max_tokens=300)
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content), dict)

    tools = [{"type": "function", "function": {"name": "enrol", "description": "Adds a person.", "parameters": PERSON}}]
    answer = strict(ask("Enrol Ada, 36, who likes tea.", tools=tools, tool_choice="required", temperature=0, max_tokens=200))
    assert answer.choices[0].finish_reason == "tool_calls" and answer.choices[0].message.content is None, answer
    call = answer.choices[0].message.tool_calls[0]
    assert call.type == "function" and call.function.name == "enrol" and call.id
    fits_person(call.function.arguments)
    named = {"type": "function", "function": {"name": "enrol"}}
    pieces = [strict(c) for c in ask("Enrol Ada.", tools=tools, tool_choice=named, max_tokens=200, stream=True)]
    deltas = [d for c in pieces for d in c.choices[0].delta.tool_calls or []]
    assert deltas[0].id and deltas[0].function.name == "enrol" and pieces[-1].choices[0].finish_reason == "tool_calls"
    fits_person("".join(d.function.arguments for d in deltas))
    refused(openai.BadRequestError, lambda: ask("x", tools=tools, tool_choice={"type": "function", "function": {"name": "no"}}),
            param="tool_choice")


def full(client):
    """One answer at a time and a queue of one: the rest is told to come back, and the client does."""
    import concurrent.futures
    impatient = client.with_options(max_retries=0)

    def one(_):
        try:
            return impatient.completions.with_raw_response.create(model="tiny", prompt="w5", max_tokens=100, temperature=1,
                                                                  extra_body={"ignore_eos": True}).status_code
        except openai.RateLimitError as error:
            assert error.response.headers["retry-after"] == "1"
            return 429

    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        seen = set(pool.map(one, range(480)))
    assert seen == {200, 429}, seen


def embeddings(client):
    texts = ["a joy to watch", "", "文"][:1] + ["another text"]
    coded = strict(client.embeddings.create(model="minilm", input=texts))  # asks for base64
    plain = client.embeddings.create(model="minilm", input=texts, encoding_format="float")
    assert [d.index for d in coded.data] == [0, 1] and len(coded.data[0].embedding) == 384
    for a, b in zip(coded.data, plain.data):
        assert max(abs(x - y) for x, y in zip(a.embedding, b.embedding)) < 1e-6
    raw = client.embeddings.with_raw_response.create(model="minilm", input=texts[0], encoding_format="base64")
    values = json.loads(raw.text)["data"][0]["embedding"]
    floats = struct.unpack("<384f", base64.b64decode(values))
    assert abs(sum(x * x for x in floats) - 1) < 1e-4
    assert len(client.embeddings.create(model="minilm", input=texts, dimensions=64).data[0].embedding) == 64
    refused(openai.NotFoundError, lambda: client.embeddings.create(model="x", input="y"), code="model_not_found")
    refused(openai.BadRequestError, lambda: client.embeddings.create(model="minilm", input=[[10 ** 6]]), param="input")


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    make = [sys.executable, str(ROOT / "tests/support/tiny_decoder.py"), str(folder / "tiny")]
    prompt = subprocess.run(make, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    server = Server(folder, folder / "tiny")
    generate(openai.OpenAI(base_url=server.url + "/v1", api_key="none"), prompt)
    metrics = urllib.request.urlopen(server.url + "/metrics").read().decode()
    assert "vllm:time_to_first_token_seconds_count" in metrics
    server.stop()
    server = Server(folder, folder / "tiny", "--max-sequences", "1", "--max-queue", "1")
    full(openai.OpenAI(base_url=server.url + "/v1", api_key="none"))
    server.stop()
    smol = next((MINILM.parent / "smollm2").glob("*.gguf"), None)
    if smol:
        server = Server(folder, smol, "--endpoint", "smol")
        structured(openai.OpenAI(base_url=server.url + "/v1", api_key="none"))
        server.stop()
    server = Server(folder, MINILM, "--endpoint", "minilm")
    embeddings(openai.OpenAI(base_url=server.url + "/v1", api_key="none"))
    server.stop()
print(f"openai {openai.__version__}: models, completions, chat, streams, logprobs, errors, 429, embeddings"
      + (", schemas, tools" if smol else "; schemas and tools skipped: no decoder (tools/setup decoder)"))
