"""Constraints judged by the container of a table itself."""

import operator

import numpy as np
import pandas as pd

OPERATORS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt}


def broken(table, constraints):
    """(n,) of bool, judged by the container itself, cells that are missing keeping all."""
    bad = np.zeros(len(table), dtype=bool)
    for left, sign, right in constraints:
        a, b = table[left], table[right] if isinstance(right, str) else right
        if sign == "multiple of":
            of = b if isinstance(b, pd.Timedelta) else float(b)
            rest = a % of if isinstance(b, pd.Timedelta) else a / of - (a / of).round()
            kept = rest == pd.Timedelta(0) if isinstance(b, pd.Timedelta) else abs(rest) < 1e-4
        else:
            kept = OPERATORS[sign](a, b)
        there = a.notna() & (b.notna() if isinstance(right, str) else True)
        bad |= (there & ~kept.fillna(True)).to_numpy(dtype=bool)
    return bad
