"""Who works on which topic."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cdp.queue.claims import Claim

MEGABYTE = 1_000_000
SHORT_WORK = "work"
LONG_WORK = "jobs"
LANES = (SHORT_WORK, LONG_WORK)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic, its handler, and how much the handler is given at once.

    A claim holds at most `batch` rows, `records` records and `size` bytes of body,
    but always one row. With `exclusive` a sandbox has at most one claim of the
    topic. `patience` is how long a handler may run without a word from it before
    its claim is given to somebody else; a worker that dies is noticed after
    `lease`. The `lane` names the workers: short work never waits behind long work.
    `then` is a topic that the handler publishes on: whoever has handled goes on with it,
    for all other workers may be busy when they are woken.
    """

    topic: str
    handler: "Callable[[Claim], None]"
    batch: int
    records: int
    size: int
    exclusive: bool
    lease: timedelta
    patience: timedelta
    lane: str
    then: str


_subscriptions: dict[str, Subscription] = {}


def subscribe(
    topic: str,
    handler: "Callable[[Claim], None]",
    *,
    batch: int = 500,
    records: int = 50_000,
    size: int = 32 * MEGABYTE,
    exclusive: bool = False,
    lease: timedelta | None = None,
    patience: timedelta = timedelta(minutes=15),
    lane: str = SHORT_WORK,
    then: str = "",
) -> None:
    """Make `handler` the one that works on `topic`; called in `apps.py`.

    Raises `ValueError` if the topic has a handler already or the lane is unknown.
    """
    if topic in _subscriptions:
        raise ValueError(f"{topic} has a handler already: {_subscriptions[topic].handler}")
    if lane not in LANES:
        raise ValueError(f"{lane} is not a lane; use one of {', '.join(LANES)}")
    _subscriptions[topic] = Subscription(
        topic=topic,
        handler=handler,
        batch=batch,
        records=records,
        size=size,
        exclusive=exclusive,
        lease=lease or settings.QUEUE_LEASE,
        patience=patience,
        lane=lane,
        then=then,
    )


def find_subscription(topic: str) -> Subscription | None:
    """Return who works on the topic, or None if nobody does."""
    return _subscriptions.get(topic)


def subscribed_topics() -> list[str]:
    """Return the topics that have a handler, lowest app of the stack first."""
    return list(_subscriptions)
