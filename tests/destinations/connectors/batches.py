"""Batches for the tests of connectors."""

from datetime import UTC, datetime, timedelta
from typing import Any

from destinations.connectors.base import Batch, Change

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def change(number: int = 1, **values: Any) -> Change:
    """Return a change of the person of that number."""
    given: dict[str, Any] = {
        "id": f"dlv_{number}",
        "sequence": number,
        "profile_id": f"prf_{number}",
        "entered": True,
        "at": AT + timedelta(seconds=number),
        "attributes": {"first_name": "Sarah", "points": 120.5},
        "identities": {"email": ["sarah@luma.example"]},
    }
    return Change(**{**given, **values})


def batch(*changes: Change, **values: Any) -> Batch:
    """Return a batch of changes of the segment `Runners`."""
    given: dict[str, Any] = {
        "id": "msg_1",
        "activation_id": "act_1",
        "segment_id": "seg_1",
        "segment_name": "Runners",
        "started_at": AT,
        "targets": ("first_name", "points", "email"),
        "changes": iter(changes),
    }
    return Batch(**{**given, **values})
