"""Pictures of tables and of fitted samplers, in the manner of scikit-learn's displays: computed once, plotted later.

Every display has a constructor for computed arrays, a method `from_tables` or `from_estimator` that computes them, and
`plot`, which draws and returns the display; it then has `figure_` and `axes_`. A display that is the last value of a
notebook's cell shows itself; ``display.figure_.savefig(path)`` writes it. For pyplot, hand its figure or axes to
`plot`: ``display.plot(plt.figure())``.
"""

from ._columns import ColumnsDisplay
from ._embedding import EmbeddingDisplay
from ._loss import LossDisplay
from ._nearest import NearestRecordDisplay
from ._pairs import PairsDisplay
from ._reverse import ReverseProcessDisplay
from ._trade_off import TradeOffDisplay

__all__ = [
    "ColumnsDisplay",
    "EmbeddingDisplay",
    "LossDisplay",
    "NearestRecordDisplay",
    "PairsDisplay",
    "ReverseProcessDisplay",
    "TradeOffDisplay",
]
