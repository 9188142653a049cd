"""Columns of the kinds that tables are made of."""

import numpy as np
import pandas as pd


def generated_column(rng, kind, n):
    """A column of one of the kinds that tables are made of."""
    small = rng.integers(0, 4, n)
    return {
        "normal": lambda: rng.normal(size=n),
        "float32": lambda: rng.normal(size=n).astype(np.float32),
        "wide": lambda: rng.normal(size=n) * 10.0 ** rng.integers(-200, 200, n),
        "int8": lambda: rng.integers(-128, 128, n).astype(np.int8),
        "int64": lambda: rng.integers(-(2**63), 2**63 - 1, n),
        "uint64": lambda: rng.integers(0, 2**64 - 1, n, dtype=np.uint64),
        "zero_inflated": lambda: np.where(rng.random(n) < 0.6, 0, rng.exponential(size=n)),
        "bounded": lambda: np.clip(rng.normal(size=n), -1, 1),
        "decimals": lambda: np.round(rng.normal(size=n), 2),
        "constant": lambda: np.full(n, 3.5),
        "constant_level": lambda: np.full(n, "only", dtype=object),
        "two_levels": lambda: np.array(["yes", "no"], dtype=object)[small % 2],
        "str": lambda: pd.Series(np.array(list("abcd"))[small], dtype="str"),
        "hundred_levels": lambda: pd.Categorical([f"level {k}" for k in rng.integers(0, 100, n)]),
        "bool": lambda: rng.random(n) < 0.3,
        "Int64": lambda: pd.array(small, dtype="Int64"),
        "Float64": lambda: pd.array(rng.normal(size=n), dtype="Float64"),
        "boolean": lambda: pd.array(small > 1, dtype="boolean"),
        "object_numbers": lambda: np.array(small.tolist(), dtype=object),
        "unused_levels": lambda: pd.Categorical.from_codes(small, [5, 3, 9, 1, 7], ordered=True),
        "intervals": lambda: pd.cut(rng.normal(size=n), [-9, -1, 0, 1, 9]),
        "sparse": lambda: pd.arrays.SparseArray(np.where(small == 0, 1.5, 0)),
    }[kind]()


KINDS = ["normal", "float32", "wide", "int8", "int64", "uint64", "zero_inflated", "bounded", "decimals"]
KINDS += ["constant", "constant_level", "two_levels", "str", "hundred_levels", "bool", "Int64", "Float64"]
KINDS += ["boolean", "object_numbers", "unused_levels", "intervals", "sparse"]
