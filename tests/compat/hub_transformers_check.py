#!/usr/bin/env python3
"""transformers and datasets against `slipway server`: hub_transformers_check.py PROGRAM. Run by hand, for both are large:

    python tests/compat/hub_transformers_check.py build/release/slipway

A tokenizer and a model made here are pushed with push_to_hub and come back with from_pretrained, equal; a data set is pushed as files and
loaded by its name. Nothing is set but HF_ENDPOINT and the place of the cache. Exit code 77: transformers is not installed; what is not
there besides is said and left out.
"""
import atexit, json, os, pathlib, signal, subprocess, sys, tempfile, time

WORK = tempfile.TemporaryDirectory()
FOLDER = pathlib.Path(WORK.name)
READY = FOLDER / "ready.json"
server = subprocess.Popen([sys.argv[1], "server", "--port", "0", "--data", str(FOLDER / "record"), "--ready-file", str(READY)], stdout=subprocess.DEVNULL)
atexit.register(server.kill)
deadline = time.monotonic() + 60
while not READY.exists():
    assert server.poll() is None and time.monotonic() < deadline, "the server did not start"
    time.sleep(0.01)
os.environ.update(HF_ENDPOINT=json.loads(READY.read_text())["url"], HF_HOME=str(FOLDER / "home"), HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
try:
    import torch, transformers
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer, BertConfig, BertModel, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)


def tokenizer():
    made = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.train_from_iterator(["a joy to watch", "a bore"], trainers.WordLevelTrainer(special_tokens=["[UNK]", "[PAD]"]))
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]", pad_token="[PAD]")


def models_go_there_and_back():
    torch.manual_seed(0)
    words = tokenizer()
    words.push_to_hub("team/words")
    back = AutoTokenizer.from_pretrained("team/words")
    assert back("a joy")["input_ids"] == words("a joy")["input_ids"]
    small = BertModel(BertConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64))
    large = GPT2LMHeadModel(GPT2Config(vocab_size=8000, n_embd=64, n_layer=2, n_head=2))  # 2.5 MB: not within the commit
    for model, loader, name in [(small, AutoModel, "team/bert"), (large, AutoModelForCausalLM, "team/gpt2")]:
        model.eval().push_to_hub(name)
        words.push_to_hub(name)
        assert AutoConfig.from_pretrained(name).model_type == model.config.model_type
        again = loader.from_pretrained(name).eval()
        ids = torch.tensor([[1, 2, 3, 4]])
        assert torch.equal(model(ids)[0], again(ids)[0]), name
        assert AutoTokenizer.from_pretrained(name)("a bore")["input_ids"] == words("a bore")["input_ids"]
    large.push_to_hub("team/gpt2", commit_message="again")  # nothing new
    print(f"transformers {transformers.__version__}: good")


def a_data_set_is_loaded():
    try:
        import datasets
    except ImportError as error:
        print(f"left out: {error}")
        return
    from huggingface_hub import HfApi
    api = HfApi()
    api.create_repo("team/reviews", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"text,label\na joy,1\na bore,0\n", path_in_repo="data/train.csv", repo_id="team/reviews", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"text,label\nfine,1\n", path_in_repo="data/test.csv", repo_id="team/reviews", repo_type="dataset")
    loaded = datasets.load_dataset("team/reviews")
    assert loaded["train"]["text"][:] == ["a joy", "a bore"] and loaded["test"].num_rows == 1, loaded
    made = datasets.Dataset.from_dict({"text": [f"row {i}" for i in range(1000)], "n": list(range(1000))})
    made.push_to_hub("team/made")
    again = datasets.load_dataset("team/made", split="train")
    assert again["n"][:] == list(range(1000)) and again["text"][7] == "row 7"
    streamed = datasets.load_dataset("team/made", split="train", streaming=True)
    assert next(iter(streamed)) == {"text": "row 0", "n": 0}
    formats(api, datasets, made)
    print(f"datasets {datasets.__version__}: good")


def formats(api, datasets, made):
    """Files of each format, by name and by hf://, whole and streamed, at a branch and a tag."""
    rows = [{"text": f"row {i}", "n": i} for i in range(50)]
    made.select(range(50)).to_parquet(str(FOLDER / "rows.parquet"))
    contents = {"csv": "text,n\n" + "".join(f"{r['text']},{r['n']}\n" for r in rows), "jsonl": "".join(json.dumps(r) + "\n" for r in rows),
                "parquet": (FOLDER / "rows.parquet").read_bytes()}
    for ending, bytes_ in contents.items():
        name = f"team/as-{ending}"
        api.create_repo(name, repo_type="dataset")
        api.upload_file(path_or_fileobj=bytes_ if isinstance(bytes_, bytes) else bytes_.encode(), path_in_repo=f"rows.{ending}", repo_id=name, repo_type="dataset")
        assert datasets.load_dataset(name, split="train").to_list() == rows, ending
        assert list(datasets.load_dataset(name, split="train", streaming=True)) == rows, ending
        kind = {"jsonl": "json"}.get(ending, ending)
        assert datasets.load_dataset(kind, data_files=f"hf://datasets/{name}/rows.{ending}", split="train").to_list() == rows, ending
    api.create_tag("team/as-csv", tag="v1", repo_type="dataset")
    api.create_branch("team/as-csv", branch="dev", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"text,n\nnew,0\n", path_in_repo="rows.csv", repo_id="team/as-csv", repo_type="dataset", revision="dev")
    assert datasets.load_dataset("team/as-csv", split="train", revision="dev").to_list() == [{"text": "new", "n": 0}]
    assert datasets.load_dataset("team/as-csv", split="train", revision="v1").num_rows == 50


models_go_there_and_back()
a_data_set_is_loaded()
server.send_signal(signal.SIGTERM)
assert server.wait(60) == 0, "the server did not drain"
