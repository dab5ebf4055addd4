"""The doors of Segment- and RudderStack-compatible trackers.

They want exactly 200 with JSON for what is taken, try again on 429 and 5xx, and drop
what gets another 4xx. Nothing else tells them more, so a message that cannot be used
is taken and put aside with its reason.
"""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from cdp.api.errors import problem
from cdp.datasets.doors.answers import door_with, json_answer
from cdp.datasets.doors.arrivals import write_down
from cdp.datasets.doors.body import read_body
from cdp.datasets.doors.cross_origin import open_to_browsers
from cdp.datasets.doors.inlets import open_inlet_of_key
from cdp.datasets.doors.keys import key_of
from cdp.datasets.enums import Door
from cdp.datasets.segment.messages import MessageUnusable, count_of
from cdp.errors import DomainError, Malformed, TooLarge

FORM: Final = "segment"
_SHORT: Final = {
    "p": "page", "i": "identify", "t": "track", "g": "group", "a": "alias", "s": "screen",
    "b": "batch",
}  # fmt: skip


def _refuse(refusal: DomainError) -> HttpResponse:
    """Answer a refusal; too large a request is a 400 to these clients, as elsewhere."""
    status = 400 if isinstance(refusal, TooLarge) else refusal.status
    answer = json_answer({**problem(refusal), "status": status, "message": refusal.detail}, status)
    if (seconds := getattr(refusal, "retry_after", None)) is not None:
        answer.headers["Retry-After"] = str(max(1, seconds))
    return answer


@open_to_browsers
@door_with(_refuse)
def take(request: HttpRequest, endpoint: str) -> HttpResponse:
    """Take one message, or a batch of them."""
    endpoint = _SHORT.get(endpoint, endpoint)
    header_key = key_of(request)
    if header_key:
        open_inlet_of_key(header_key, door=Door.SEGMENT)  # before reading a large body
    body, value = read_body(request, any_type=True)
    key = header_key or _key_in(value)
    inlet, key_id = open_inlet_of_key(key, door=Door.SEGMENT)
    try:
        count = count_of(value, endpoint)
    except MessageUnusable as error:
        raise Malformed(error.detail) from error
    if count:
        write_down(
            inlet,
            form=FORM,
            body=body,
            count=count,
            details={"endpoint": endpoint, "key": key_id},
        )
    return json_answer({"success": True})


@open_to_browsers
@door_with(_refuse)
def take_metrics(request: HttpRequest) -> HttpResponse:
    """Take what trackers tell of themselves; nothing is done with it."""
    return json_answer({"success": True})


def _key_in(value: Any) -> str:
    key = value.get("writeKey") if isinstance(value, dict) else None
    return key if isinstance(key, str) else ""
