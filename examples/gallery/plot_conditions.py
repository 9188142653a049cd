"""
Conditions and constraints
==========================

What one learns: rows can be asked for by categories, ranges and values in any columns, without a new fit; and what must
hold exactly in every row, such as an order of two columns or a sum, is held exactly.
"""

# %%
# A table of orders: shipped no earlier than ordered, and the total is price plus postage.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skmdiff import ManifoldDiffusionSampler

rng = np.random.default_rng(0)
n_rows = 1000
country = rng.choice(["DE", "FR", "US"], n_rows, p=[0.5, 0.3, 0.2])
price = rng.gamma(3, 15, n_rows).round(2)
postage = np.where(country == "US", 15, 5) + rng.integers(0, 4, n_rows)
ordered = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n_rows), unit="D")
wait = rng.poisson(np.where(country == "US", 9, 2))
orders = pd.DataFrame(
    {
        "country": pd.Categorical(country),
        "price": price,
        "postage": postage,
        "total": (price + postage).round(2),
        "ordered": ordered,
        "shipped": ordered + pd.to_timedelta(wait, unit="D"),
    }
)
constraints = [("ordered", "<=", "shipped"), ("total", "==", "price + postage"), ("price", ">=", 0)]
sampler = ManifoldDiffusionSampler(constraints=constraints, max_iter=300, random_state=0).fit(orders)

# %%
# Fractions of samples that break the constraints, with them and without them.
free = ManifoldDiffusionSampler(constraints=None, max_iter=300, random_state=0).fit(orders)
for name, model in {"held": sampler, "not held": free}.items():
    rows = model.sample(1000)
    late = (rows["shipped"] < rows["ordered"]).mean()
    off = ((rows["price"] + rows["postage"] - rows["total"]).abs() > 1).mean()
    print(f"constraints {name:9} shipped too early: {late:.3f}, total is off by more than 1: {off:.3f}")

# %%
# Conditions: a category, a range, and both. The columns that were not asked for follow, given those that were.
queries = {
    "all": None,
    "country US": {"country": "US"},
    "total above 80": {"total": (80, None)},
    "US, total above 80": {"country": "US", "total": (80, None)},
}
answers = {name: sampler.sample(400, conditions=query) for name, query in queries.items()}
for name, rows in answers.items():
    waits = (rows["shipped"] - rows["ordered"]).dt.days
    print(f"{name:20} mean total {rows['total'].mean():6.1f}, mean days to ship {waits.mean():4.1f}")

# %%
# Beside the rows of the table that agree with each query: waiting times were not asked for, yet they follow.
matches = {
    "all": orders,
    "country US": orders[orders["country"] == "US"],
    "total above 80": orders[orders["total"] >= 80],
    "US, total above 80": orders[(orders["country"] == "US") & (orders["total"] >= 80)],
}
bins = np.arange(0, 21) - 0.5
figure, axes = plt.subplots(1, 4, sharex=True, figsize=(13, 3), layout="constrained")
for ax, (name, rows) in zip(axes, answers.items(), strict=True):
    for part, color, style in ((matches[name], "#10243f", {"histtype": "step", "linewidth": 2}), (rows, "#f0a23c", {})):
        waits = (part["shipped"] - part["ordered"]).dt.days
        label = f"{'samples' if part is rows else 'table'}, {len(part)} rows"
        ax.hist(waits, bins=bins, density=True, color=color, label=label, zorder=1 + (part is not rows), **style)
    ax.set(title=name, xlabel="days to ship")
    ax.set_ylim(0, 1.35 * ax.get_ylim()[1])
    ax.legend(fontsize=7)
axes[0].set(ylabel="density")
plt.show()
