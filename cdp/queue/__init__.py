"""The durable queue: work that must not be lost, in a PostgreSQL table.

Rows are published in the transaction that makes the work necessary, claimed with a
lease by whoever is free, and removed in the transaction that has done the work.
Celery only carries wake-ups; with Redis gone, work is late and never lost.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdp.queue.backlogs import backlog, oldest_age
    from cdp.queue.buried import replay
    from cdp.queue.claims import Claim, Item, LeaseLost
    from cdp.queue.draining import drain
    from cdp.queue.periodic import every
    from cdp.queue.publishing import Message, publish, publish_many
    from cdp.queue.subscriptions import subscribe
    from cdp.queue.waking import wake

__all__ = [
    "Claim",
    "Item",
    "LeaseLost",
    "Message",
    "backlog",
    "drain",
    "every",
    "oldest_age",
    "publish",
    "publish_many",
    "replay",
    "subscribe",
    "wake",
]

_HOMES = {
    "Claim": "claims",
    "Item": "claims",
    "LeaseLost": "claims",
    "Message": "publishing",
    "backlog": "backlogs",
    "drain": "draining",
    "every": "periodic",
    "oldest_age": "backlogs",
    "publish": "publishing",
    "publish_many": "publishing",
    "replay": "buried",
    "subscribe": "subscriptions",
    "wake": "waking",
}


def __getattr__(name: str) -> Any:
    """Import a name at its first use: Django imports this package before it can import models."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
