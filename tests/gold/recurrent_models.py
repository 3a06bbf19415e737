"""Writes recurrent_NAME.json beside this file: what torch.nn.LSTM and torch.nn.GRU compute for tiny classifiers,
encoders and language models whose weights are the formula of decoder_models.py:

  {"config", "tensors": {name: shape}, "texts": [ids, ...],
   "logits": [text][label], "hidden": [text][position][feature] (classifiers and encoders: some positions of each text),
   "positions": [text][...]}
  or, of a language model: {..., "ids", "positions", "logits": [position][vocab], "greedy": ids that follow}

usage: recurrent_models.py [--folder DIR]   with DIR also writes each as DIR/NAME: config.json and model.pt, by torch.save
"""
import argparse
import json
import pathlib

import torch
from torch import nn

from decoder_models import weights


class Recurrent(nn.Module):
    """The module that docs/formats/recurrent.md describes."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        kind = nn.LSTM if config["model_type"] == "lstm" else nn.GRU
        self.embedding = nn.Embedding(config["vocab_size"], config["embedding_dim"])
        self.rnn = kind(config["embedding_dim"], config["hidden_size"], config.get("num_layers", 1),
                        bias=config.get("bias", True), bidirectional=config.get("bidirectional", False), batch_first=True)
        features = config["hidden_size"] * (2 if config.get("bidirectional") else 1)
        if config["architectures"][0].endswith("ForSequenceClassification"):
            self.classifier = nn.Linear(features, len(config["id2label"]))
        elif config["architectures"][0].endswith("ForCausalLM"):
            self.lm_head = nn.Linear(features, config["vocab_size"], bias=not config.get("tie_word_embeddings"))
            if config.get("tie_word_embeddings"):
                self.lm_head.weight = self.embedding.weight

    def forward(self, ids):
        out, state = self.rnn(self.embedding(ids))
        if hasattr(self, "lm_head"):
            return self.lm_head(out), out
        if not hasattr(self, "classifier"):
            return None, out
        last = state[0] if isinstance(state, tuple) else state  # h_n [layers * directions, batch, hidden]
        pooled = {"last": torch.cat([last[-2], last[-1]], 1) if self.rnn.bidirectional else last[-1],
                  "mean": out.mean(1), "max": out.max(1).values}[self.config.get("pooling", "last")]
        return self.classifier(pooled), out


def classifier(cell, **more):
    return {"model_type": cell, "architectures": [f"{cell.title()}ForSequenceClassification"], "vocab_size": 96,
            "embedding_dim": 24, "hidden_size": 20, "id2label": {"0": "bad", "1": "fair", "2": "good"}} | more


def language_model(cell, **more):
    return {"model_type": cell, "architectures": [f"{cell.title()}ForCausalLM"], "vocab_size": 160, "embedding_dim": 48,
            "hidden_size": 64, "bos_token_id": 1, "eos_token_id": 2, "max_position_embeddings": 128} | more


MODELS = {
    "lstm_last": classifier("lstm", num_layers=2, bidirectional=True, pooling="last"),
    "lstm_max": classifier("lstm", hidden_size=33, bias=False, pooling="max"),
    "gru_mean": classifier("gru", num_layers=3, bidirectional=True, pooling="mean"),
    "gru_last": classifier("gru"),
    "lstm_encoder": classifier("lstm", architectures=["LstmModel"], bidirectional=True, pooling="mean"),
    "lstm_lm": language_model("lstm", num_layers=2),
    "gru_lm": language_model("gru", num_layers=2, embedding_dim=64, tie_word_embeddings=True),
}


def rounded(row):
    return [round(float(x), 6) for x in row]


def text_gold(model, gold):
    gold["texts"] = [[(11 * i * i + 17 * i + 3 * n) % 96 for i in range(n)] for n in (1, 2, 7, 19, 40, 19)]
    gold["positions"] = [sorted({0, len(ids) // 2, len(ids) - 1}) for ids in gold["texts"]]
    results = [model(torch.tensor([ids])) for ids in gold["texts"]]
    if hasattr(model, "classifier"):
        gold["logits"] = [rounded(logits[0]) for logits, _ in results]
    gold["hidden"] = [[rounded(out[0, p]) for p in positions]
                      for (_, out), positions in zip(results, gold["positions"])]


def lm_gold(model, gold):
    ids = [1] + [(7 * i * i + 31 * i + 5) % 157 + 3 for i in range(23)]
    logits = model(torch.tensor([ids]))[0][0]
    text, margins = list(ids), []
    for _ in range(24):
        row = model(torch.tensor([text]))[0][0, -1]
        top = torch.topk(row, 2).values
        margins.append(float(top[0] - top[1]))
        text.append(int(row.argmax()))
    gold |= {"ids": ids, "positions": [0, 11, 23], "logits": [rounded(logits[p]) for p in (0, 11, 23)],
             "greedy": text[len(ids):]}
    print(f"  smallest greedy margin {min(margins):.1e}, {len(set(gold['greedy']))} distinct ids")
    return gold


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)
    for name, config in MODELS.items():
        model = Recurrent(config).eval()
        state = {key: value for key, value in model.state_dict().items()
                 if not (key == "lm_head.weight" and config.get("tie_word_embeddings"))}
        for key, value in state.items():
            value.copy_(torch.from_numpy(weights(key, list(value.shape))))
        gold = {"made_with": f"torch {torch.__version__}, float32", "config": config,
                "tensors": {key: list(value.shape) for key, value in state.items()}}
        print(name, {key: list(value.shape) for key, value in state.items()})
        gold = lm_gold(model, gold) if name.endswith("_lm") else text_gold(model, gold) or gold
        path = pathlib.Path(__file__).parent / f"recurrent_{name}.json"
        path.write_text(json.dumps(gold, separators=(",", ":")) + "\n")
        if arguments.folder:
            folder = pathlib.Path(arguments.folder) / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
            torch.save(model.state_dict(), folder / "model.pt")


if __name__ == "__main__":
    main()
