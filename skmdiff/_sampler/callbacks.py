"""The callbacks of scikit-learn: a fit as a task, its stages as subtasks, the evaluations of the training below them.

`sklearn.callback` is there from scikit-learn 1.9 on. Before, an estimator has no `set_callbacks`, and nobody is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._numerics.progress import Silent

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class NoTask:
        """A task that nobody listens to."""

        def subcontext(self, **of_task: Any) -> NoTask:
            return self

        def call_on_fit_task_begin(self, **known: Any) -> NoTask:
            return self

        def call_on_fit_task_end(self, **known: Any) -> bool:
            return False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """What an estimator that has no callbacks needs to know of them."""

        def _init_callback_context(self, **of_task: Any) -> NoTask:
            return NoTask()

    def with_callbacks(method: Callable) -> Callable:
        """The method itself."""
        return method


class Tasks(Silent):
    """The progress of a fit as tasks of the callbacks of an estimator, whose `fit` is decorated by `with_callbacks`.

    Parameters
    ----------
    estimator : estimator
    given : dict
        X, y and metadata of the fit, for callbacks.
    n_stages : int
        Stages that the fit has at most.
    attributes : callable(what was learnt) -> dict of the attributes of an estimator that has learnt this
        Called only for callbacks that look at a fitted estimator.
    """

    def __init__(
        self, estimator: Any, given: dict[str, Any], n_stages: int, attributes: Callable[[Any], dict[str, Any]]
    ) -> None:
        self.known, self.attributes = {"estimator": estimator, **given}, attributes
        self.fit = estimator._init_callback_context(max_subtasks=n_stages)
        self.fit.call_on_fit_task_begin(**self.known)
        self.of_stage: Any = None

    def stage(self, name: str, n_steps: int | None = None, n_reports: int = 0, unit: str = "step") -> None:
        self._end_stage()
        self.of_stage = self.fit.subcontext(task_name=name, max_subtasks=n_reports)
        self.of_stage.call_on_fit_task_begin(**self.known)

    def report(self, text: str, learnt: Callable[[], Any] | None = None) -> bool:
        task = self.of_stage.subcontext(task_name="evaluation").call_on_fit_task_begin(**self.known)
        state = None if learnt is None else lambda: self.attributes(learnt())
        return task.call_on_fit_task_end(**self.known, reconstruction_attributes=state)

    def end(self, learnt: Any) -> None:
        """The fit is done, and this is what was learnt."""
        self._end_stage()
        self.fit.call_on_fit_task_end(**self.known, reconstruction_attributes=lambda: self.attributes(learnt))

    def _end_stage(self) -> None:
        if self.of_stage is not None:
            self.of_stage.call_on_fit_task_end(**self.known)
        self.of_stage = None
