"""Rows of methods from outside for the benchmark of augmentation: SMOTE and Gaussian mixtures."""

import numpy as np
import pandas as pd
from contestants import interpolated
from imblearn.over_sampling import SMOTE
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NEIGHBOURS = 5
COMPONENTS = (1, 2, 4, 8, 16, 32)
LEAST_ROWS = 4  # of a component


class Code:
    """A frame in standardised numbers, categories one-hot, and back to the likeliest category."""

    def __init__(self, X):
        self.dtypes = X.dtypes
        self.text = [name for name in X if X[name].dtype == "category"]
        self.numbers = [name for name in X if name not in self.text]
        self.scaler = StandardScaler().fit(X[self.numbers]) if self.numbers else None
        self.dummies = OneHotEncoder(sparse_output=False).fit(X[self.text]) if self.text else None

    def __call__(self, X):
        """Coordinates (n, p)."""
        parts = [self.scaler.transform(X[self.numbers])] if self.numbers else []
        return np.hstack(parts + ([self.dummies.transform(X[self.text])] if self.text else []))

    def inverse(self, Z):
        """The frame of coordinates."""
        out, cut = pd.DataFrame(index=range(len(Z))), len(self.numbers)
        if self.numbers:
            out[self.numbers] = self.scaler.inverse_transform(Z[:, :cut])
        if self.text:
            out[self.text] = self.dummies.inverse_transform(Z[:, cut:])
        for name in self.numbers:
            if self.dtypes[name].kind in "iu":
                out[name] = out[name].round()
        return out[list(self.dtypes.index)].astype(self.dtypes)


def with_smote(X, y, seed):
    """The rows by which SMOTE evens the classes of more than one row.

    Categories are interpolated one-hot and the likeliest taken: it gains more than SMOTENC and SMOTEN do.
    """
    labels, counts = np.unique(y, return_counts=True)
    if np.ptp(counts) == 0:
        return X.iloc[:0], y[:0]
    wanted = {label: counts.max() for label, count in zip(labels, counts, strict=True) if count > 1}
    n_near = min(NEIGHBOURS, counts[counts > 1].min() - 1)
    code = Code(X)
    Z, targets = SMOTE(sampling_strategy=wanted, k_neighbors=n_near, random_state=seed).fit_resample(code(X), y)
    return code.inverse(Z[len(y) :]), targets[len(y) :]


def with_numbers(X, y, draw):
    """Rows and their numbers, drawn together in the coordinates of both by a function of these."""
    frame = X.assign(target_=y)
    code = Code(frame)
    rows = code.inverse(draw(code(frame)))
    return rows.drop(columns="target_"), rows.target_.to_numpy()


def smote_rows(X, y, seed):
    """As many rows more, each between a row and one near it, its target too."""
    return with_numbers(X, y, lambda Z: interpolated(Z, len(y), seed))


def fit_mixture(Z, seed):
    """The Gaussian mixture of the least BIC."""
    Z = Z if len(Z) > 1 else np.repeat(Z, 2, axis=0)
    sizes = [k for k in COMPONENTS if k == 1 or k * LEAST_ROWS <= len(Z)]
    return min((GaussianMixture(k, reg_covar=1e-4, random_state=seed).fit(Z) for k in sizes), key=lambda m: m.bic(Z))


def mixture_rows(X, y, has_classes, n_new, seed):
    """Rows of mixtures: as many of each class, or with numbers drawn along."""
    if not has_classes:
        return with_numbers(X, y, lambda Z: fit_mixture(Z, seed).sample(n_new)[0])
    code, labels = Code(X), np.unique(y)
    Z, each = code(X), n_new // len(labels)
    rows = [code.inverse(fit_mixture(Z[y == label], seed).sample(each)[0]) for label in labels]
    return pd.concat(rows, ignore_index=True), np.repeat(labels, each)
