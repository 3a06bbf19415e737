#!/usr/bin/env python3
"""Writes words.jsonl beside it: what jieba 0.42.1 (Debian's python3-jieba) makes of lines of text in each of its modes.

The text is the Universal Declaration of Human Rights in simplified and traditional characters (public domain; udhr2.zip of the
shared data) and lines written for edge cases. Usage: make.py .../pos-segmentation/udhr2.zip
"""
import json
import pathlib
import sys
import zipfile

sys.path.append("/usr/lib/python3/dist-packages")
import jieba  # noqa: E402

EDGES = [
    "", " ", "我来到北京清华大学", "他来到了网易杭研大厦", "小明硕士毕业于中国科学院计算所，后在日本京都大学深造",
    "工信处女干事每月经过下属科室都要亲口交代24口交换机等技术性器件的安装工作", "B超 AT&T 3.14% c++ C# 你好\t世界 １２３ “引号”……",
    "12.34.56 a_b-c 100%的 3.5元 v1.0.2 50%%", "\u3000全角\u3000空格\u00a0不断\x1c分隔", "𠀀𠀁测试龥龦龻鿕鿖", "韩冰是个好人韩冰", "隆重推出隆重推出",
    "the quick brown fox T恤和IP电话", "AAB超ABC卡拉OK", "乒乓球拍卖完了", "结过婚的和尚未结过婚的", "哈哈哈哈哈哈哈哈", "http://example.com/路径?q=查询&x=1",
    "永和服装饰品有限公司", "吉林省长春药店", "云计算创新办台中不断", "\r\n换行\r\n", "…—《书名》（括号）【方头】、。；：？！", "２０２６年１１月２９日", "王小明陈独秀欧阳娜娜司马懿",
]
USER = "云计算 5\n创新办 3 i\n韩冰是\n好用 300\n台中\n不断 0\nB超机 n\nnew york 20 nt\n"


def main():
    lines = list(EDGES)
    with zipfile.ZipFile(sys.argv[1]) as archive:
        for name in ("cmn_hans", "cmn_hant"):
            text = archive.read(f"udhr2/{name}.txt").decode().splitlines()
            lines += [line for line in text if line][:60]
    jieba.setLogLevel(60)
    plain = jieba.Tokenizer()
    users = jieba.Tokenizer()
    rows = []
    for line in lines:
        rows.append({"text": line, "precise": plain.lcut(line), "no_hmm": plain.lcut(line, HMM=False),
                     "full": [word for word in plain.lcut(line, cut_all=True) if word],
                     "search": plain.lcut_for_search(line)})
    folder = pathlib.Path(__file__).parent
    path = folder / "user.txt"
    path.write_text(USER)
    users.load_userdict(str(path))
    for row in rows[:len(EDGES)]:
        row["user"] = users.lcut(row["text"])
        row["user_no_hmm"] = users.lcut(row["text"], HMM=False)
        row["user_search"] = users.lcut_for_search(row["text"])
    with open(folder / "words.jsonl", "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
