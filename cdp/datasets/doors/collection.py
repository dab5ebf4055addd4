"""The XDM door: `POST /collection/{inlet}` and `/collection/batch/{inlet}`."""

from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from cdp.datasets.doors.answers import door, json_answer
from cdp.datasets.doors.arrivals import write_down
from cdp.datasets.doors.body import read_body
from cdp.datasets.doors.inlets import OpenInlet, open_inlet
from cdp.datasets.doors.keys import key_of
from cdp.datasets.doors.trial import check_at_once
from cdp.datasets.enums import Door
from cdp.datasets.errors import MessageInvalid
from cdp.datasets.xdm import messages_of, unwrap
from cdp.errors import Malformed, TooLarge

FORM: Final = "xdm"
MOST_RECORDS: Final = 10_000


@door
def collect(request: HttpRequest, inlet_id: str) -> HttpResponse:
    """Take one message, or a list; refuse all of it if one cannot be taken.

    What violates the schema is found later and put aside, unless
    `?syncValidation=true` asks for it at once.
    """
    inlet, body, messages = _read(request, inlet_id)
    for message in messages:
        unwrap(message, inlet.facts.routes)
    if request.GET.get("syncValidation", "").lower() == "true":
        check_at_once(inlet, messages)
    received_at = timezone.now()
    receipt_id = write_down(
        inlet, form=FORM, body=body, count=len(messages), received_at=received_at
    )
    return json_answer(
        {
            "inletId": inlet.id,
            "xactionId": receipt_id,
            "receivedTimeMs": _milliseconds(received_at),
        }
    )


@door
def collect_batch(request: HttpRequest, inlet_id: str) -> HttpResponse:
    """Take many messages and answer for each: taken, or refused and why."""
    inlet, body, messages = _read(request, inlet_id)
    refusals = [_refusal(message, inlet) for message in messages]
    if all(refusals):
        return json_answer({"inletId": inlet.id, "responses": refusals}, status=207)
    received_at = timezone.now()
    receipt_id = write_down(
        inlet, form=FORM, body=body, count=len(messages), received_at=received_at
    )
    answer = {
        "inletId": inlet.id,
        "batchId": receipt_id,
        "receivedTimeMs": _milliseconds(received_at),
        "responses": [
            refusal or {"xactionId": f"{receipt_id}-{position}"}
            for position, refusal in enumerate(refusals)
        ],
    }
    return json_answer(answer, status=207)


def _read(request: HttpRequest, inlet_id: str) -> tuple[OpenInlet, bytes, list[Any]]:
    inlet = open_inlet(inlet_id, door=Door.XDM, key=key_of(request))
    body, value = read_body(request)
    messages = messages_of(value)
    if not messages:
        raise Malformed("There is no record in the request.")
    if len(messages) > MOST_RECORDS:
        raise TooLarge(f"A request may hold {MOST_RECORDS:,} records at most.")
    return inlet, body, messages


def _refusal(message: Any, inlet: OpenInlet) -> dict[str, Any] | None:
    try:
        unwrap(message, inlet.facts.routes)
    except MessageInvalid as error:
        return {"status": error.status, "message": error.detail, "errors": error.errors}
    return None


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
