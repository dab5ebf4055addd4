"""What tests of the queue share: topics of their own, and a look at the rows."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from cdp.queue import subscriptions
from cdp.queue.models import QueueItem
from cdp.queue.subscriptions import Subscription, find_subscription, subscribe
from cdp.tenancy.scope import bypass

_numbers = count(1)


@pytest.fixture
def subscribed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Subscription]:
    """Return a function that subscribes a handler to a fresh topic for this test."""
    monkeypatch.setattr(subscriptions, "_subscriptions", dict(subscriptions._subscriptions))

    def make(handler: Callable[[Any], None] = lambda claim: None, **options: Any) -> Subscription:
        topic = f"tests.topic{next(_numbers)}"
        subscribe(topic, handler, **options)
        found = find_subscription(topic)
        assert found is not None
        return found

    return make


@pytest.fixture
def rows() -> Callable[[str], list[QueueItem]]:
    """Return a function that reads all rows of a topic, whoever owns them."""

    def read(topic: str) -> list[QueueItem]:
        with bypass():
            return list(QueueItem.unscoped.filter(topic=topic).order_by("id"))

    return read
