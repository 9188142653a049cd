"""Sums of columns as users write them: "a + b", "12 * months - 3", "`net price` + tax".

Names of columns that are no plain names stand between backquotes, as in `pandas.DataFrame.query`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import NamedTuple, NoReturn

TOKEN = re.compile(r"\s*(?:`(?P<quoted>[^`]+)`|(?P<number>\d+\.?\d*|\.\d+)|(?P<name>[^\W\d]\w*)|(?P<sign>[-+*]))")
PLAIN_NAME = re.compile(r"[^\W\d]\w*\Z")


class Formula(NamedTuple):
    """A sum of columns, by their indices, with coefficients, and a constant."""

    terms: dict[int, Fraction]
    constant: Fraction


class Token(NamedTuple):
    kind: str
    text: str


def parse_formula(text: str, index_of: Callable[[str], int], name: str) -> Formula:
    """The formula that a string is: products of a number and a column, or numbers, with + and - between them.

    index_of : the index of a column by its name; it raises for an unknown one
    name : of the parameter, for messages
    """
    terms: dict[int, Fraction] = {}
    constant = Fraction(0)
    for sign, product in _products(_tokens(text, name), text, name):
        factor, column = _read_product(product, text, name)
        if column is None:
            constant += sign * factor
        else:
            j = index_of(column)
            terms[j] = terms.get(j, Fraction(0)) + sign * factor
    return Formula({j: factor for j, factor in terms.items() if factor}, constant)


def _refuse(text: str, name: str) -> NoReturn:
    raise ValueError(
        f"{name} must be a sum of columns such as 'a + b', '2 * a - b' or '12 * `my column` + 3', got {text!r}."
    )


def _tokens(text: str, name: str) -> list[Token]:
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        found = TOKEN.match(text, position)
        if found is None:
            _refuse(text, name)
        kind = str(found.lastgroup)
        tokens.append(Token("name" if kind == "quoted" else kind, found[kind]))
        position = found.end()
    return tokens


def _products(tokens: list[Token], text: str, name: str) -> list[tuple[int, list[Token]]]:
    """The products between + and -, each with its sign."""
    products: list[tuple[int, list[Token]]] = [(1, [])]
    for token in tokens:
        if token.text not in ("+", "-") or token.kind == "name":
            products[-1][1].append(token)
        elif products[-1][1]:
            products.append((1 if token.text == "+" else -1, []))
        elif len(products) == 1 and products[0][0] == 1:
            products[0] = (1 if token.text == "+" else -1, [])
        else:
            _refuse(text, name)
    if not products[-1][1]:
        _refuse(text, name)
    return products


def _read_product(tokens: list[Token], text: str, name: str) -> tuple[Fraction, str | None]:
    """The number, and the name of the column if there is one."""
    factors, signs = tokens[::2], tokens[1::2]
    columns = [token.text for token in factors if token.kind == "name"]
    if any(token.text != "*" for token in signs) or any(token.kind == "sign" for token in factors):
        _refuse(text, name)
    if len(factors) == len(signs) or len(columns) > 1:
        _refuse(text, name)
    number = Fraction(1)
    for token in factors:
        number *= Fraction(token.text) if token.kind == "number" else 1
    return number, columns[0] if columns else None


# --- and back


def write_formula(terms: Mapping[str, Fraction], constant: Fraction) -> str:
    """The string of a sum of columns, by their names."""
    parts = [(factor, _times(abs(factor), name)) for name, factor in terms.items()]
    if constant or not parts:
        parts.append((constant, decimal(abs(constant))))
    first, *rest = parts
    text = ("-" if first[0] < 0 else "") + first[1]
    return text + "".join(f" {'-' if number < 0 else '+'} {part}" for number, part in rest)


def _times(factor: Fraction, name: str) -> str:
    column = name if PLAIN_NAME.match(name) else f"`{name}`"
    return column if factor == 1 else f"{decimal(factor)} * {column}"


def decimal(number: Fraction) -> str:
    """A number of finitely many decimals, in digits without an exponent."""
    places = decimals_of(number)
    digits = f"{int(number * 10**places):0{places + 1}d}"
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def decimals_of(number: Fraction) -> int:
    """How many decimals write a number, which has finitely many."""
    return next(places for places in range(400) if 10**places % number.denominator == 0)
