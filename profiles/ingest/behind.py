"""Finishing one batch while the next is being decided: the stores then work side by side."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Self

from django.db import connection

from profiles.models import IngestBatch


class Behind:
    """Finishes batches in the order given, in a thread of its own, one at a time.

    A batch is taken when the one before it is finished; what that one raised is raised
    here. At the end everything that was taken is finished.
    """

    def __init__(self, finish: Callable[[IngestBatch], None]) -> None:
        self._finish = finish
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="behind")
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown()
        if error is None:
            self.wait()

    def take(self, batch: IngestBatch) -> None:
        """Have a batch finished; returns at once if no other is still on its way."""
        self.wait()
        self._last = self._threads.submit(copy_context().run, self._run, batch)

    def wait(self) -> None:
        """Return when nothing is left to finish. Raises what finishing raised."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def _run(self, batch: IngestBatch) -> None:
        try:
            self._finish(batch)
        finally:
            connection.close()  # the thread's own; it ends with the claim
