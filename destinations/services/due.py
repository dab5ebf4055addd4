"""A batch that waits to be sent, as it stands in the queue."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from cdp.queue import Item, Message

LONGEST_DEFERRAL: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A batch: which deliveries, how often it was tried, how often put off untried."""

    item: Item
    activation: str
    batch: str
    deliveries: Sequence[int]
    attempts: int
    deferred: int

    @classmethod
    def of(cls, item: Item) -> Self:
        """Read a row of the queue."""
        return cls(item, **item.payload)

    def tried(self) -> Self:
        """Return it after an attempt that failed."""
        return replace(self, attempts=self.attempts + 1, deferred=0)

    def put_off(self) -> Self:
        """Return it after a time at which something stood in its way."""
        return replace(self, deferred=self.deferred + 1)

    def message(self, at: datetime) -> Message:
        """Return the row by which it comes back."""
        payload: dict[str, Any] = {
            "activation": self.activation,
            "batch": self.batch,
            "deliveries": self.deliveries,
            "attempts": self.attempts,
            "deferred": self.deferred,
        }
        return Message(payload, count=len(self.deliveries), available_at=at)

    @property
    def pause(self) -> timedelta:
        """How long to wait for what stands in its way: longer each time."""
        milliseconds = 50 << min(self.deferred, 16)
        return min(timedelta(milliseconds=milliseconds), LONGEST_DEFERRAL)
