"""Writes word_vectors.json and the small files it is about (fuzz/corpus/word_vectors): models that gensim trained and
saved as word2vec text and binary and as fastText .bin, and the vectors and neighbours that gensim reads in them."""
import json
import pathlib

from gensim.models import FastText, KeyedVectors, Word2Vec
from gensim.models.fasttext import save_facebook_model

here = pathlib.Path(__file__).parent
files = here.parents[1] / "fuzz" / "corpus" / "word_vectors"
texts = ["the cat sat on the mat", "the dog sat on the log", "a cat and a dog", "größer als 猫咪 und größer"] * 20
texts = [t.split() for t in texts]
w2v = Word2Vec(texts, vector_size=6, min_count=1, epochs=5, seed=1, workers=1).wv
w2v.save_word2vec_format(str(files / "w2v.vec"), binary=False)
w2v.save_word2vec_format(str(files / "w2v.bin"), binary=True)
(files / "glove.txt").write_text("".join((files / "w2v.vec").read_text().splitlines(keepends=True)[1:]))
ft = FastText(texts, vector_size=5, min_count=1, epochs=3, seed=1, workers=1, bucket=60, min_n=2, max_n=4)
save_facebook_model(ft, str(files / "fasttext.bin"))


def number(x):
    return float(f"{float(x):.7g}")


gold = {"word2vec": {w: [number(x) for x in w2v[w]] for w in w2v.index_to_key},
        "nearest": [[w, number(s)] for w, s in w2v.most_similar("cat", topn=4)],
        "analogy": [[w, number(s)] for w, s in w2v.most_similar(positive=["dog", "mat"], negative=["cat"], topn=3)],
        "fasttext": {w: [number(x) for x in ft.wv[w]] for w in list(ft.wv.index_to_key) + ["cats", "größte", "猫", "unseen", "x"]}}
(here / "word_vectors.json").write_text(json.dumps(gold, ensure_ascii=False, separators=(",", ":")) + "\n")
