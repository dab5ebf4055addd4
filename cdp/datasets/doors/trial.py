"""Judging records while the sender waits, for people who try an inlet out."""

from typing import Any

from django.utils import timezone

from cdp.datasets.doors.inlets import DOORS, OpenInlet
from cdp.datasets.errors import RecordsInvalid
from cdp.datasets.examine import examine
from cdp.datasets.records import Arrival, Received, Rejection
from cdp.datasets.selectors import dataset_facts
from cdp.datasets.xdm import unwrap
from cdp.errors import FieldError
from cdp.tenancy.scope import scope


def check_at_once(inlet: OpenInlet, messages: list[Any]) -> None:
    """Raise `RecordsInvalid` with every error of every record; valid ones go on as usual."""
    now = timezone.now()
    arrival = Arrival("rcp_trial", "xdm", inlet.id, now)
    opened = [unwrap(message, inlet.facts.routes) for message in messages]
    with scope(inlet.sandbox, DOORS):
        datasets = dataset_facts(inlet.sandbox, {each.route.dataset_id for each in opened})
    errors: list[FieldError] = []
    for position, unwrapped in enumerate(opened):
        received = Received(
            arrival,
            position,
            unwrapped.record,
            unwrapped.route.dataset_id,
            operation=unwrapped.operation,
        )
        judged = examine(received, datasets.get(received.dataset_id), now=now)
        if isinstance(judged, Rejection):
            prefix = f"[{position}]." if len(messages) > 1 else ""
            errors += [
                FieldError(path=prefix + each["path"], code=each["code"], detail=each["detail"])
                for each in judged.errors
            ]
    if errors:
        raise RecordsInvalid(
            "The records violate the schema; nothing was taken.",
            errors=errors,
            report={"errors": errors},
        )
