"""A picture a promise: real rows, samples of plain diffusion, and samples that know the manifold.

``python examples/benchmarks/promise_pictures.py FOLDER`` writes promise_*.png there, as docs/benchmarks has them.
Training is that of the default: about ten fits, a minute each at most. Needs matplotlib.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from contestants import fit
from sklearn.manifold import Isomap

from skmdiff.datasets import make_gaussian_grid, make_swiss_roll_nd, make_von_mises_circle

PLAIN = dict(manifold="passthrough")


def coverage(steps):
    """Clusters of falling weight in a plane, turned into ten columns."""
    grid = make_gaussian_grid(1000, 10, ratio=0.85, noise=0.05, random_state=0)
    return {
        "real": grid.data @ grid.frame.T,
        "plain diffusion": fit(grid.data, steps, 0, **PLAIN).sample(1000) @ grid.frame.T,
        "with the manifold": fit(grid.data, steps, 0).sample(1000) @ grid.frame.T,
    }


def diversity(steps):
    """Twelve rows of twelve clusters of equal weight."""
    angle = 2 * np.pi * np.arange(600) / 12
    X = np.column_stack([np.cos(angle), np.sin(angle)]) + 0.05 * np.random.default_rng(0).standard_normal((600, 2))
    return {
        "real": X,
        "twelve of plain diffusion": fit(X, steps, 0, **PLAIN).sample(12),
        "twelve, stratified": fit(X, steps, 0).sample(12, design="stratified"),
    }


def local_geometry(steps):
    """A clean swiss roll in ten columns, from the side."""
    return rolls(make_swiss_roll_nd(1000, 10, random_state=0), steps)


def noise(steps):
    """A noisy one, and samples that are free of the noise."""
    toy = make_swiss_roll_nd(1000, 10, noise=0.3, random_state=0)
    return rolls(toy, steps, manifold=Isomap(n_neighbors=10), noise_level=0.3, numeric="standard")


def rolls(toy, steps, **parameters):
    """The side of a roll of all parts."""
    return {
        "real": (toy.data @ toy.frame.T)[:, [0, 2]],
        "plain diffusion": (fit(toy.data, steps, 0, **PLAIN).sample(1000) @ toy.frame.T)[:, [0, 2]],
        "with the manifold": (fit(toy.data, steps, 0, **parameters).sample(1000) @ toy.frame.T)[:, [0, 2]],
    }


def exploration(steps):
    """A circle with few rows on one side."""
    X = make_von_mises_circle(1000, random_state=0).data
    return {
        "real": X[:200],
        "plain diffusion": fit(X, steps, 0, **PLAIN).sample(200),
        "with the manifold, explore": fit(X, steps, 0).explore(200),
    }


def draw(parts, path):
    """One panel a part, all to the same scale, the real rows grey behind the others."""
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.3), sharex=True, sharey=True, layout="constrained")
    real = parts["real"]
    for axis, (title, rows) in zip(axes, parts.items(), strict=True):
        axis.scatter(*real.T, s=4, c="0.4" if rows is real else "0.75", linewidths=0)
        if rows is not real:
            axis.scatter(*rows.T, s=4 if len(rows) > 12 else 40, c="k", linewidths=0)
        axis.set(title=title, xticks=[], yticks=[], aspect="equal")
    figure.savefig(path, dpi=90, pil_kwargs={"optimize": True})
    plt.close(figure)


def main():
    """Write all pictures."""
    folder = Path(sys.argv[1])
    for promise in (coverage, diversity, local_geometry, noise, exploration):
        draw(promise("auto"), folder / f"promise_{promise.__name__}.png")


if __name__ == "__main__":
    main()
