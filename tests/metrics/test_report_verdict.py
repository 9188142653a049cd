"""The words of the report: fresh rows are good, shuffled columns are not, copies show, small tables cannot tell."""

import re

import numpy as np
import pytest

from skmdiff import metrics
from skmdiff.metrics._report.entries import FACTS, Sizes
from skmdiff.metrics._report.grades import RULES, standing

SIZES = Sizes(400, 400, 400, 5, 400, 400, 400, 200, 200)


def chain(n_rows, seed):
    """Five columns, each a noisy step from the one before."""
    rng = np.random.RandomState(seed)
    return np.cumsum(rng.normal(size=(n_rows, 5)) * [1, 0.4, 0.4, 0.4, 0.4], axis=1)


def shuffled(table, seed):
    rng = np.random.RandomState(seed)
    return np.column_stack([rng.permutation(column) for column in table.T])


def words(train, synthetic, held_out, **options):
    found = metrics.report(train, synthetic, held_out, random_state=0, **options)
    return {verdict.subject: verdict for verdict in found.verdict}


@pytest.fixture(scope="module")
def train():
    return chain(400, 0)


@pytest.fixture(scope="module")
def held_out():
    return chain(400, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_fresh_rows_are_good_and_show_no_sign(train, held_out, seed):
    said = words(train, chain(400, seed), held_out)
    assert [said[name].grade for name in ("closeness", "utility", "privacy")] == ["good", "good", "no sign"]
    assert "No single column differs" in said["closeness"].text and "Pair" not in said["closeness"].text
    assert "0.0% of the synthetic rows equal a training row" in said["privacy"].text


@pytest.mark.slow
def test_shuffled_columns_are_not_good_and_the_pair_is_named(train, held_out):
    table = chain(400, 2)
    said = words(train, shuffled(table, 3), held_out)
    assert said["closeness"].grade == said["utility"].grade == "not good" and said["privacy"].grade == "no sign"
    assert "No single column differs" in said["closeness"].text and "c2st" in said["closeness"].text
    # the strongest correlation is that of the last two columns: half of sqrt(1.48 / 1.64) is .475, that of 0 +- .05
    assert re.search(r"Pair that differs most: x3 and x4 \(0\.(4[2-9]|5[0-3]), fresh", said["closeness"].text)


@pytest.mark.slow
def test_copies_are_good_but_for_privacy(train, held_out):
    said = words(train, train, held_out)
    assert (said["closeness"].grade, said["privacy"].grade) == ("good", "clear sign")
    assert "100.0% of the synthetic rows equal a training row (fresh real rows 0.0%)" in said["privacy"].text
    assert "copy_share 1 (fresh rows 0)" in said["privacy"].text and "look closer" in said["privacy"].text


@pytest.mark.slow
def test_a_fifth_of_copies_shows(train, held_out):
    said = words(train, np.vstack([train[:80], chain(320, 2)]), held_out)
    assert said["privacy"].grade == "clear sign" and "20.0% of the synthetic rows" in said["privacy"].text


@pytest.mark.slow
def test_the_column_that_is_off_is_named_with_its_distance(train, held_out):
    table = chain(400, 2)
    table[:, 2] += 1.0
    said = words(train, table, held_out)["closeness"]
    largest = metrics.shape_error(held_out[:, 2:3], table[:, 2:3])
    assert said.grade == "not good" and f"Columns that differ most: x2 ({largest:.2f}, " in said.text


@pytest.mark.slow
def test_privacy_is_never_promised(train, held_out):
    for rows in (chain(400, 2), train):
        text = words(train, rows, held_out)["privacy"].text
        assert text.endswith("No measure proves privacy: a better attack may find more.")


def test_few_rows_and_independent_columns_cannot_tell():
    said = words(*(np.random.RandomState(seed).normal(size=(30, 3)) for seed in range(3)))
    assert said["closeness"].grade == "cannot tell"
    assert "With 15 outsiders only strong signs can be seen." in said["privacy"].text


@pytest.mark.parametrize("name", FACTS)
def test_the_ceiling_is_never_bad_and_grades_fall_with_the_distance(name):
    worst = 0.0 if FACTS[name].better.startswith("higher") or name == "dcr_ratio" else 1.0
    best = 1 - worst if worst == 0.0 else 0.1
    floor = worst if RULES[name].bounds is None else best
    words_ = [standing(name, best + part * (worst - best), floor, best, SIZES).grade for part in np.linspace(0, 1, 41)]
    if name == "vendi_ratio":
        worst, best = 2.0, 1.0
        words_ = [standing(name, best + part, worst, best, SIZES).grade for part in np.linspace(0, 1, 41)]
    order = ["clear sign", "some sign", "no sign"] if FACTS[name].group == "privacy" else ["not good", "usable", "good"]
    places = [order.index(word) for word in words_]
    assert places[0] == 2 and places[-1] == 0 and places == sorted(places, reverse=True)


def test_bounds_of_grades_by_hand():
    # c2st from .5 to .9: good up to .6, usable up to .74; 1.2 / sqrt(400) = .06 is less than a quarter of .4
    grades = [standing("c2st", value, 0.9, 0.5, SIZES).grade for value in (0.45, 0.599, 0.601, 0.739, 0.741)]
    assert grades == ["good", "good", "usable", "usable", "not good"]
    # a ceiling that chance made better than a guess does not count
    assert standing("c2st", 0.5, 0.9, 0.4, SIZES).excess == 0.0
    # floor and ceiling nearer to each other than .12
    assert standing("c2st", 0.55, 0.6, 0.5, SIZES).grade == "cannot tell"
    assert standing("c2st", 0.95, 0.6, 0.5, SIZES).grade == "not good"
    assert standing("copy_share", 0.006, 0.0, 0.0, SIZES).grade == "some sign"
    assert standing("membership_tpr", float("nan"), 0.0, 0.0, SIZES).grade == "not measured"
