"""A rare class that is a rule of categories: of 800 rows 20 have a = b and c = 0, one in 16 would by chance."""

import numpy as np
import pandas as pd


def rare_rule(seed):
    """Four columns of four categories (800, 4), and which rows are of the class: those that follow the rule."""
    codes = pd.DataFrame(np.random.default_rng(seed).integers(4, size=(3000, 4)), columns=list("abcd"))
    follows = follows_rule(codes)
    rows = np.concatenate([np.flatnonzero(follows)[:20], np.flatnonzero(~follows)[:780]])
    return codes.iloc[rows].astype("category").reset_index(drop=True), follows[rows]


def follows_rule(rows):
    """Which rows follow the rule."""
    codes = rows.astype(int)
    return ((codes["a"] == codes["b"]) & (codes["c"] == 0)).to_numpy()
