"""All measures of two tables at once, each beside a floor and a ceiling; what they say in words; a page.

Three candidates are measured in the same way: the synthetic rows; the floor, the training rows with each column
shuffled independently; and the ceiling, fresh real rows. Closeness is measured against the held-out rows, and the fresh
rows are the training rows. Privacy is measured against the training rows; half of the held-out rows are the outsiders
of the attack, and the other half are the fresh rows.

`measuring` makes the numbers, `grades` puts a word to each, `verdict` says what they mean together, `result` holds and
prints them, `page` writes them as HTML by `parts`, `pictures` and `fitted`.
"""

from .measuring import report
from .result import MetricsReport

__all__ = ["MetricsReport", "report"]
