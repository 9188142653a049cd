"""New rows of a table: ``python examples/quickstart.py [my_table.csv]``, by default of the embedded one."""

import sys

import pandas as pd
from sklearn.manifold import Isomap

from skmdiff import ManifoldDiffusionSampler
from skmdiff.datasets import load_german_credit
from skmdiff.metrics import c2st

table = pd.read_csv(sys.argv[1]) if sys.argv[1:] else load_german_credit(as_frame=True).frame
train, holdout = table[::2], table[1::2]
sampler = ManifoldDiffusionSampler(manifold=Isomap(n_neighbors=10), random_state=0).fit(train)
new_rows = sampler.sample(len(holdout))
print(new_rows.head().to_string())
print("0.5 is ideal:", round(c2st(holdout, new_rows, random_state=0), 3))
