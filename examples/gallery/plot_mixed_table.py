"""
A table of numbers, dates and categories, with missing cells
============================================================

What one learns: a DataFrame goes in as it is and comes back with the same columns and dtypes, dates as dates, and with
cells missing as often as before; how to look at the samples, and how to measure them.
"""

# %%
# A table of visits, made here: who is older visits at more cost, members more often pay by card, and the cost is
# missing more often for visitors without a membership.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skmdiff import ManifoldDiffusionSampler
from skmdiff.inspection import ColumnsDisplay
from skmdiff.metrics import report

rng = np.random.default_rng(0)
n_rows = 1200
member = rng.random(n_rows) < 0.4
age = np.round(np.clip(rng.normal(40 + 8 * member, 12), 18, 90))
cost = np.round(np.exp(rng.normal(2.5 + 0.02 * age, 0.4)), 2)
days = rng.gamma(2 + 2 * member, 60).astype(int)
table = pd.DataFrame(
    {
        "age": age.astype(int),
        "cost": np.where(rng.random(n_rows) < np.where(member, 0.05, 0.25), np.nan, cost),
        "first_visit": pd.Timestamp("2023-01-01") + pd.to_timedelta(days, unit="D"),
        "member": pd.Categorical(np.where(member, "yes", "no")),
        "payment": pd.Categorical(np.where(rng.random(n_rows) < 0.3 + 0.4 * member, "card", "cash")),
    }
)
train, held_out = table[:800], table[800:]
print(train.head().to_string())

# %%
# Fit and sample. Nothing has to be encoded, scaled or filled first.
sampler = ManifoldDiffusionSampler(max_iter=500, random_state=0).fit(train)
rows = sampler.sample(800)
print(rows.head().to_string())
print("same dtypes:", (rows.dtypes == train.dtypes).all())

# %%
# Every column, the table in blue and the samples in orange.
ColumnsDisplay.from_tables(train, rows).plot().figure_.set_size_inches(14, 3)

# %%
# Which cells are missing depends on other columns, in the samples too.
is_missing = pd.DataFrame(
    {
        name: t["cost"].isna().groupby(t["member"], observed=True).mean()
        for name, t in {"table": train, "samples": rows}.items()
    }
)
print(is_missing.round(3).to_string())
ax = is_missing.plot.bar(rot=0, color=["#10243f", "#f0a23c"], figsize=(4.5, 3))
ax.set(ylabel="fraction of missing costs")
ax.figure.tight_layout()

# %%
# Every measure beside its floor (columns shuffled independently) and its ceiling (fresh real rows).
print(report(train, rows, held_out, random_state=0))
plt.show()
