"""Dependences that no row of a table breaks and that chance would not give, in the words of `constraints`.

What is tried: a column that is a multiple of another plus a constant; one that is the sum of two; one that is a
function of another, for categories and for numbers of few values; categories that never occur together though chance
would have them do so often; and orders of two columns. A dependence is taken where rows shuffled in one of its columns
would keep it with a probability below LEVEL over the number of those tried (Bonferroni's bound; Fisher 1935, "The
design of experiments", for the test): so a random table has a false one with a probability of at most LEVEL for each of
the five kinds. A column like a key, every value once, determines nothing: any shuffle keeps it. An order is taken only
where it binds, with rows near equality.

Rows in which a cell is missing say nothing, and nothing is asked of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from ..cells import Cells
from ..columns import Column
from .chance import log_arrangements, log_chance_of_function, log_chance_of_order
from .combinations import SeenValues
from .dependences import DETERMINES, EQUALS, SEEN_WITH, WrittenDependence, column_order
from .formulas import Formula, write_formula
from .sums import Sum, is_number

LEVEL = 1e-6
# Pairs of categories are fixed where those that never occur would fill the first fraction of the rows, were the two
# independent. Of all pairs those not seen yet can be no more than the second, and of those that occur much less often
# than independent ones would no more than the third.
ABSENT_FRACTION, UNSEEN_FRACTION, UNSEEN_RARE_FRACTION = 0.01, 0.01, 0.001
SCREEN_ROWS = 500
CORRELATED = 1 - 1e-8
DIGITS, OFFSET_DECIMALS = 6, 8  # of coefficients and of constants
MOST_IN_SUMS = 300  # columns among which sums are sought: there are about their cube of them
SUM_ROWS = 8
FEW_VALUES = 100  # of numbers that another column may be a function of
REPEATS = 4  # how often such a value occurs, on average
NEAR, NEAR_FRACTION, NEAR_ROWS = 0.05, 0.01, 5  # near equality, in standard deviations of the difference
STEP = 0.3  # the least difference, where it is one step of days or integers, is near if it is at most that
FEW_ORDERED, MOST_RATIO = 20, 10.0  # columns of so few values are codes; of other scales, of other units
STRICT_ROWS = 20

Found = tuple[object, str, object]


@dataclass
class Candidates:
    """The columns of a table among which dependences are sought, and those found.

    columns, cells : as `fit` has them
    written : those that the user wrote and those found
    """

    columns: Sequence[Column]
    cells: Sequence[Cells]
    written: list[WrittenDependence]
    found: list[Found] = field(default_factory=list)

    def take(self, j: int, rows: np.ndarray) -> np.ndarray:
        return self.cells[j].take(rows).observed

    def both_there(self, *indices: int) -> np.ndarray:
        """Rows, by their indices, in which no cell of some columns is missing."""
        return np.flatnonzero(~np.any([self.cells[j].missing for j in indices], axis=0))

    def varying(self) -> list[int]:
        return [j for j, column in enumerate(self.columns) if column.width]

    def add(self, word: str, inputs: tuple[int, ...], output: int, formula: Formula | None = None) -> None:
        """Keep a dependence, unless the same columns have one of that kind or it would close a circle."""
        one = WrittenDependence("", "", word, inputs, output, formula)
        known = any(set(one.columns()) == set(other.columns()) and other.word == word for other in self.written)
        if known or not isinstance(column_order([*self.written, one]), list):
            return
        self.written.append(one)
        names = [column.name for column in self.columns]
        right: object = names[output]
        if formula is not None:
            right = write_formula({names[j]: factor for j, factor in formula.terms.items()}, formula.constant)
        left = names[inputs[0]] if len(inputs) == 1 else tuple(names[j] for j in inputs)
        self.found.append((names[output], word, right) if formula is not None else (left, word, right))


def discover(
    columns: Sequence[Column], cells: Sequence[Cells], written: Sequence[WrittenDependence], ordered: set[int]
) -> list[Found]:
    """Tuples (left, operator, right) of what holds in a table.

    columns, cells : the fitted columns and the `Cells` of the table of fit
    written, ordered : the dependences that the user wrote, and the columns that he has put in an order
    """
    candidates = Candidates(columns, cells, list(written))
    numbers = [j for j in candidates.varying() if is_number(columns[j])]
    followers = find_multiples(candidates, numbers)
    find_sums(candidates, [j for j in numbers if j not in followers])
    find_functions(candidates, followers)
    find_combinations(candidates)
    find_orders(candidates, [j for j in candidates.varying() if j not in followers | ordered])
    return candidates.found


def is_chance(log_probability: Any, n_tried: int) -> Any:
    """Whether chance would give a dependence, or each of some (n,), after so many tried."""
    return log_probability + np.log(max(1, n_tried)) > np.log(LEVEL)


# --- one column, a multiple of another plus a constant


def find_multiples(candidates: Candidates, numbers: list[int]) -> set[int]:
    """Add those there are; the columns that follow from another."""
    followers: set[int] = set()
    if len(numbers) < 2:
        return followers
    filled = np.column_stack([standard(candidates.cells[j]) for j in numbers])
    close = np.abs(filled.T @ filled) / len(filled) > CORRELATED
    for a, b in np.argwhere(np.triu(close, 1)).tolist():
        x, y = numbers[a], numbers[b]
        if x in followers or y in followers:
            continue
        one = simplest_multiple(candidates, x, y)
        if one is not None and not is_chance(*_chance_of_multiple(candidates, x, y, len(numbers))):
            output, formula = one
            candidates.add(EQUALS, tuple(formula.terms), output, formula)
            followers.add(output)
    return followers


def standard(cells: Cells) -> np.ndarray:
    """Numbers (n,) minus their mean over their standard deviation, 0 where they are missing."""
    x = cells.observed.astype(np.float64)
    out = np.zeros(len(cells.missing))
    scale = np.abs(x).max()
    x = x / scale if scale > 0 else x
    x = x - x.mean()
    out[~cells.missing] = x / max(np.sqrt((x**2).sum() / len(out)), np.finfo(float).tiny)
    return out


def _chance_of_multiple(candidates: Candidates, x: int, y: int, n_numbers: int) -> tuple[float, int]:
    counts = np.unique(candidates.take(y, candidates.both_there(x, y)), return_counts=True)[1]
    # the multiple is chosen to agree with two values
    return 2 * np.log(len(counts)) - log_arrangements(counts), n_numbers**2


def simplest_multiple(candidates: Candidates, x: int, y: int) -> tuple[int, Formula] | None:
    """The column on the left, and what it is: in integers where that goes, else the later column by the earlier."""
    ways = [(y, multiple_of(candidates, x, y)), (x, multiple_of(candidates, y, x))]
    exact = [(left, formula) for left, formula in ways if formula is not None]
    in_integers = [
        (left, formula) for left, formula in exact if all(factor.denominator == 1 for factor in formula.terms.values())
    ]
    return next(iter([*in_integers, *exact]), None)


def multiple_of(candidates: Candidates, x: int, y: int) -> Formula | None:
    """What column y is of x, with a factor of few digits, where that holds in every row."""
    rows = candidates.both_there(x, y)
    a, b = (candidates.take(j, rows).astype(np.float64) for j in (x, y))
    first, last = np.argmin(a), np.argmax(a)
    if len(rows) < 3 or a[first] == a[last]:
        return None
    factor = Fraction(f"{(b[last] - b[first]) / (a[last] - a[first]):.{DIGITS}g}")
    constant = Fraction(f"{b[first] - float(factor) * a[first]:.{OFFSET_DECIMALS}f}")
    for offset in (Fraction(0), constant):
        formula = Formula({x: factor}, offset)
        if factor and not Sum("", y, formula, candidates.columns).broken(candidates.cells).any():
            return formula
    return None


# --- one column, the sum of two


def find_sums(candidates: Candidates, numbers: list[int]) -> None:
    """Add those there are."""
    if not 3 <= len(numbers) <= MOST_IN_SUMS:
        return
    n_tried = len(numbers) ** 3 // 2
    x = np.column_stack([with_nan(candidates.cells[j]) for j in numbers])
    for a, b, s in possible_sums(x):
        inputs, output = (numbers[a], numbers[b]), numbers[s]
        formula = Formula(dict.fromkeys(inputs, Fraction(1)), Fraction(0))
        rows = candidates.both_there(*inputs, output)
        counts = [np.unique(candidates.take(j, rows), return_counts=True)[1] for j in (*inputs, output)]
        if any(is_chance(-log_arrangements(each), n_tried) for each in counts):
            continue
        if not Sum("", output, formula, candidates.columns).broken(candidates.cells).any():
            candidates.add(EQUALS, inputs, output, formula)


def with_nan(cells: Cells) -> np.ndarray:
    """Numbers (n,) as floats, NaN where they are missing."""
    out = np.full(len(cells.missing), np.nan)
    out[~cells.missing] = cells.observed
    return out


def possible_sums(x: np.ndarray) -> list[list[int]]:
    """Indices (a, b, s) of columns with x_a + x_b = x_s in every row, but for rounding."""
    sizes = np.nansum(np.abs(x) > 0, axis=1)
    few = x[np.argsort(-sizes, kind="stable")[:SUM_ROWS]]  # rows of zeros tell nothing
    pairs = np.array(np.triu_indices(x.shape[1], 1))
    sums = few[:, pairs[0]] + few[:, pairs[1]]
    found = []
    for s in range(x.shape[1]):
        near = np.flatnonzero(~differs(sums, few[:, s : s + 1]).any(axis=0))
        found += [(a, b, s) for a, b in pairs[:, near].T.tolist() if s not in (a, b)]
    for rows in np.array_split(np.arange(len(x)), max(1, len(x) // SCREEN_ROWS)):
        if not found:
            return []
        a, b, s = np.array(found).T
        kept = ~differs(x[rows][:, a] + x[rows][:, b], x[rows][:, s]).any(axis=0)
        found = [found[k] for k in np.flatnonzero(kept).tolist()]
    return [list(one) for one in found]


def differs(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where numbers differ by more than single precision rounds; not where one is missing."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.abs(x - y) > 1e-6 * np.maximum(np.abs(x), np.abs(y))


# --- one column, a function of another


def find_functions(candidates: Candidates, followers: set[int]) -> None:
    """Add those there are, without those that follow from others."""
    indices = [j for j in candidates.varying() if j not in followers and _has_few_values(candidates, j)]
    if len(indices) < 2:
        return
    values = np.column_stack([_numbered(candidates, j) for j in indices])
    determines = np.array([functions_of(values, a) for a in range(len(indices))])
    for a, b in np.argwhere(determines).tolist():
        determines[a, b] = not is_chance(_chance_of_function(values[:, a], values[:, b]), len(indices) ** 2)
    is_category = np.array([candidates.columns[j].kind == "categorical" for j in indices])
    for a, b in direct_functions(determines, is_category):
        candidates.add(DETERMINES, (indices[a],), indices[b])


def _has_few_values(candidates: Candidates, j: int) -> bool:
    observed = candidates.cells[j].observed
    if candidates.columns[j].kind == "categorical":
        return True
    head = np.unique(observed[:SCREEN_ROWS])  # many values show soon
    if len(head) > FEW_VALUES:
        return False
    return len(np.unique(observed)) <= min(FEW_VALUES, len(observed) / REPEATS)


def _numbered(candidates: Candidates, j: int) -> np.ndarray:
    """Numbers (n,) of the values of a column, -1 where they are missing."""
    cells = candidates.cells[j]
    out = np.full(len(cells.missing), -1)
    out[~cells.missing] = SeenValues(candidates.columns[j], cells.observed).numbers(cells.observed)
    return out


def functions_of(values: np.ndarray, a: int) -> np.ndarray:
    """(d,) of bool, the columns of values (n, d) that are constant wherever column a is."""
    out = _constant_within(values[:SCREEN_ROWS], a)
    out[a] = False
    out[out] = _constant_within(np.column_stack([values[:, out], values[:, a]]), -1)[:-1] if out.any() else False
    return out


def _constant_within(values: np.ndarray, a: int) -> np.ndarray:
    """(d,) of bool, the columns that are constant wherever column a is, rows with missing cells left out."""
    values = values[values[:, a] >= 0]
    if not len(values):
        return np.zeros(values.shape[1], dtype=bool)
    ordered = values[np.argsort(values[:, a], kind="stable")]
    starts = np.flatnonzero(np.diff(ordered[:, a], prepend=-1))
    most = np.maximum.reduceat(ordered, starts)
    least = np.minimum.reduceat(np.where(ordered < 0, np.iinfo(ordered.dtype).max, ordered), starts)
    return ((least == most) | (most < 0)).all(axis=0)


def _chance_of_function(a: np.ndarray, b: np.ndarray) -> float:
    there = (a >= 0) & (b >= 0)
    sizes, counts = (np.unique(x[there], return_counts=True)[1] for x in (a, b))
    return log_chance_of_function(sizes, counts) if len(counts) > 1 else 0.0


def direct_functions(determines: np.ndarray, is_category: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (a, b), b a function of a, without those that others give.

    Of columns that determine each other the first category is taken, or the first number: the others are functions of
    it.
    """
    n = len(determines)
    alike = (determines & determines.T) | np.eye(n, dtype=bool)
    first = [min(np.flatnonzero(row).tolist(), key=lambda k: (not is_category[k], k)) for row in alike]
    leads = [j for j in range(n) if first[j] == j]
    same = [(first[j], j) for j in range(n) if first[j] != j]
    among = [(a, b) for a in leads for b in leads if determines[a, b]]
    edges = set(among)
    return same + [(a, b) for a, b in among if not any((a, c) in edges and (c, b) in edges for c in leads)]


# --- pairs of categories that never occur together


def find_combinations(candidates: Candidates) -> None:
    """Add those there are, without those that are functions."""
    indices = [j for j in candidates.varying() if candidates.columns[j].kind == "categorical"]
    values = {j: _numbered(candidates, j) for j in indices}
    following = {one.output for one in candidates.written if one.word == DETERMINES}
    for a, b in combinations(indices, 2):
        if not {a, b} & following and never_together(values[a], values[b], len(indices) ** 2):
            candidates.add(SEEN_WITH, (a,), b)


def never_together(a: np.ndarray, b: np.ndarray, n_tried: int) -> bool:
    """Whether some pairs of categories (n,), -1 where they are missing, never occur where chance would have them.

    A pair that m rows hold on average, were the columns independent, is in none with a probability of at most exp(-m).
    The probability of pairs not seen yet is about the fraction of rows that hold a pair seen once (Good 1953, "The
    population frequencies of species and the estimation of population parameters"). A few rows of a category that
    occurs with all others, "unknown", are such pairs, and say nothing of pairs that never occur though they should.
    """
    there = (a >= 0) & (b >= 0)
    shape = a.max() + 1, b.max() + 1
    if not there.any() or shape[0] * shape[1] > len(a):  # of more pairs than rows chance leaves most out
        return False
    counts = np.zeros(shape)
    np.add.at(counts, (a[there], b[there]), 1)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    n_rows, is_rare = counts.sum(), ~is_chance(-expected, n_tried * counts.size)
    absent = expected[is_rare & (counts == 0)].sum() / n_rows
    once = [(counts == 1).sum() / n_rows, (is_rare & (counts == 1)).sum() / n_rows]
    return bool(absent > ABSENT_FRACTION and once[0] < UNSEEN_FRACTION and once[1] < UNSEEN_RARE_FRACTION)


# --- orders


def find_orders(candidates: Candidates, indices: list[int]) -> None:
    """Add those that bind."""
    for content in dict.fromkeys(candidates.columns[j].content for j in indices):
        alike = [j for j in indices if candidates.columns[j].content == content and candidates.columns[j].is_ordered]
        if len(alike) < 2:
            continue
        x = np.column_stack([order_values(candidates, j) for j in alike])
        pairs = [pair for pair in never_above(x) if _binds(x[:, pair[0]], x[:, pair[1]], x.shape[1] ** 2)]
        for a, b in without_given(pairs):
            _add_order(candidates, alike[a], alike[b], x[:, b] - x[:, a])


def order_values(candidates: Candidates, j: int) -> np.ndarray:
    """A column as floats that can be compared, NaN where cells are missing."""
    cells = candidates.cells[j]
    kind = cells.observed.dtype.kind
    ticks = cells.observed.astype(f"{kind}8[us]").astype(np.int64) if kind in "mM" else cells.observed
    return with_nan(Cells(ticks, cells.missing))


def never_above(x: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (a, b) with x_a <= x_b in all rows."""
    out = []
    for b in range(x.shape[1]):
        kept: np.ndarray = ~np.any(x[:SCREEN_ROWS] > x[:SCREEN_ROWS, b : b + 1], axis=0)
        kept[b] = False
        out += [(a, b) for a in np.flatnonzero(kept).tolist() if not (x[:, a] > x[:, b]).any()]
    return out


def _binds(lower: np.ndarray, upper: np.ndarray, n_tried: int) -> bool:
    """Whether an order of columns of about the same scale is none of chance, and rows are near equality."""
    there = ~np.isnan(lower) & ~np.isnan(upper)
    lower, upper = lower[there], upper[there]
    if min(len(np.unique(lower)), len(np.unique(upper))) <= FEW_ORDERED:
        return False
    with np.errstate(over="ignore"):  # of the largest floats, which bind nothing
        difference, scales = upper - lower, sorted([lower.std(), upper.std()])
        least, spread = difference.min(), difference.std()
    if not np.isfinite([spread, *scales]).all():
        return False
    # rows in which both are at their least, such as zeros, would be near for columns of any kind
    reach = max(NEAR * spread, least if least <= STEP * spread else 0.0)
    near = (difference <= reach) & ((lower > lower.min()) | (upper > upper.min()))
    enough = near.sum() >= max(NEAR_ROWS, NEAR_FRACTION * len(lower)) and scales[1] <= MOST_RATIO * scales[0]
    return bool(enough) and not is_chance(log_chance_of_order(lower, upper), n_tried)


def without_given(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Orders without those that two others give."""
    known = set(pairs)
    between = {c for pair in pairs for c in pair}
    return [(a, b) for a, b in pairs if not any((a, c) in known and (c, b) in known for c in between - {a, b})]


def _add_order(candidates: Candidates, lower: int, upper: int, difference: np.ndarray) -> None:
    """One order, a strict one where many rows are one step from equality and none is there."""
    if any({lower, upper} <= set(one.columns()) for one in candidates.written):
        return
    difference = difference[~np.isnan(difference)]
    least = difference.min()
    is_strict = least > 0 and (difference == least).sum() >= STRICT_ROWS
    names = [candidates.columns[j].name for j in (lower, upper)]
    candidates.found.append((names[0], "<" if is_strict else "<=", names[1]))
