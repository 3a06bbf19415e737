#!/usr/bin/env python3
"""Makes tensorflow/tiny.ckpt.* with TensorFlow's own writer and tensorflow/tiny.npz with numpy's.

usage: make_tensorflow_gold.py        (needs tensorflow-cpu and ml_dtypes; tests do not)
"""
import pathlib

import ml_dtypes
import numpy as np
import tensorflow as tf

FOLDER = pathlib.Path(__file__).parent / "tensorflow"


def arrays():
    out = {"a/kernel": (np.arange(12, dtype=np.float32) / 4 - 1).reshape(3, 4), "a/half": np.array([0.5, -2], np.float16),
           "a/empty": np.zeros((0, 3), np.float32), "double": np.array([0.125]), "step": np.array(7, np.int64)}
    return out


def main():
    FOLDER.mkdir(exist_ok=True)
    variables = arrays() | {"a/bfloat16": np.array([1, -3, 0.25], ml_dtypes.bfloat16)}
    variables |= {f"many/layer_{i}/attention/output/dense/kernel": np.full(2, i, np.float32) for i in range(200)}
    names = sorted(variables)
    tf.raw_ops.SaveV2(prefix=str(FOLDER / "tiny.ckpt"), tensor_names=names, shape_and_slices=[""] * len(names),
                      tensors=[tf.constant(variables[name]) for name in names])
    np.savez(FOLDER / "tiny.npz", **arrays())
    for path in sorted(FOLDER.iterdir()):
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
