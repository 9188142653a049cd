"""
Scaling out: 100 000 rows, and a bound in seconds
=================================================

What one learns: time grows slowly with rows, because the manifold learner sees ``max_landmarks`` of them and training
takes batches. ``max_time`` bounds a fit, ``checkpoint`` lets it go on after a kill, ``n_jobs`` draws in threads.
"""

# %%
# A torus in eight columns, of 100 000 rows; the distance to its surface says how good samples are.
from tempfile import TemporaryDirectory
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from skmdiff import ManifoldDiffusionSampler
from skmdiff.datasets import make_torus

torus = make_torus(100_000, n_features=8, noise=0.05, random_state=0)
parameters = {"manifold": PCA(3), "max_landmarks": 1000, "corrector": None, "manifold_weight": 0, "random_state": 0}

# %%
# How the seconds of a fit of 30 steps grow with the rows.
ManifoldDiffusionSampler(**parameters, max_iter=1).fit(torus.data[:200])  # the first fit imports torch
sizes, seconds = [1_000, 10_000, 100_000], []
for n_rows in sizes:
    sampler = ManifoldDiffusionSampler(**parameters, max_iter=30)
    begun = perf_counter()
    sampler.fit(torus.data[:n_rows])
    seconds.append(perf_counter() - begun)
print("times as many seconds for 100 times as many rows:", round(seconds[-1] / seconds[0], 1))

# %%
# The same table with a bound on the seconds of the whole fit.
bounds, distances = [8, 13], []
of_table = np.median(torus.distance(torus.data[:5000]))
for bound in bounds:
    begun = perf_counter()
    sampler = ManifoldDiffusionSampler(**parameters, max_time=bound).fit(torus.data)
    took = perf_counter() - begun
    distances.append(np.median(torus.distance(sampler.sample(2000))))
    print(f"max_time={bound}: {took:.1f} s, {sampler.n_iter_} steps, stopped by {sampler.stop_reason_}, ", end="")
    print(f"median distance {distances[-1]:.3f} (table {of_table:.3f})")

# %%
# Threads change nothing but the time: the rows are the same.
rows = sampler.sample(1000)
print("same rows with two threads:", np.array_equal(rows, sampler.set_params(n_jobs=2).sample(1000)))

# %%
# A checkpoint: a fit that was whole is not trained again but loaded, with the same rows.
with TemporaryDirectory() as folder:
    kept = ManifoldDiffusionSampler(**parameters, max_iter=100, checkpoint=folder)
    times, drawn = [], []
    for _ in range(2):
        begun = perf_counter()
        drawn.append(kept.fit(torus.data[:4_000]).sample(100))
        times.append(perf_counter() - begun)
print("the second fit took this fraction of the first:", round(times[1] / times[0], 2))
print("with the same rows:", np.array_equal(*drawn))

# %%
# Seconds of a fit over rows (both by powers of ten), and the distances after each bound.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
left.plot(sizes, seconds, "o-", color="#10243f", label="fit, 30 steps")
left.plot(sizes, [seconds[0] * n / sizes[0] for n in sizes], ":", color="grey", label="in proportion to rows")
left.set(xscale="log", yscale="log", xlabel="rows", ylabel="seconds")
left.legend()
right.bar([f"max_time={bound}" for bound in bounds], distances, color="#f0a23c", width=0.5, label="samples")
right.axhline(of_table, color="#10243f", linestyle="--", label="table")
right.set(ylabel="median distance to the surface")
right.legend()
plt.show()
