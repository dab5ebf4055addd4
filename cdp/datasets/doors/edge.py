"""The Adobe Web SDK's door: `/ee/v1/interact` and its neighbours.

The SDK is pleased with 2xx and an object with `handle`, or with 204; it tries again
on 429, 502, 503 and 504.
"""

import re
from dataclasses import replace
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from cdp.api.registries import interact_answers
from cdp.datasets.doors.answers import door, json_answer
from cdp.datasets.doors.arrivals import WrittenRow, write_down_row
from cdp.datasets.doors.body import read_body
from cdp.datasets.doors.cross_origin import open_to_browsers
from cdp.datasets.doors.inlets import DOORS, OpenInlet, open_inlet
from cdp.datasets.edge.consent import consents_of
from cdp.datasets.edge.ecid import derived_ecid, new_ecid
from cdp.datasets.edge.handles import consent_state, identity_result, identity_state
from cdp.datasets.edge.request import EdgeInvalid, EdgeRequest, read_request
from cdp.datasets.enums import Door
from cdp.datasets.ingestion import prepare
from cdp.errors import DomainError, Forbidden, Malformed
from cdp.tenancy.scope import scope

FORM: Final = "edge"
_UNIQUE_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")


@open_to_browsers
@door
def interact(request: HttpRequest, **_: str) -> HttpResponse:
    """Take events and answer with the visitor's id and whatever may be shown at once."""
    inlet, body, asked = _read(request)
    row = _take(request, inlet, body, asked)
    handles = _identity(inlet, asked)
    warnings: list[dict[str, Any]] = []
    with scope(inlet.sandbox, DOORS):
        if row is not None and interact_answers.entries():
            accepted = prepare(inlet.sandbox, [row], now=timezone.now()).accepted
            asked = replace(asked, accepted=accepted)
        for name, answer in interact_answers.entries().items():
            try:
                handles += answer(inlet.sandbox, asked)
            except DomainError as error:
                warnings.append({"type": error.code, "title": error.detail, "report": name})
    answer_body: dict[str, Any] = {"requestId": asked.request_id, "handle": handles}
    return _answer(answer_body | ({"warnings": warnings} if warnings else {}))


@open_to_browsers
@door
def collect(request: HttpRequest, **_: str) -> HttpResponse:
    """Take events of a page that is being left; nobody waits for an answer."""
    inlet, body, asked = _read(request)
    _take(request, inlet, body, asked)
    return HttpResponse(status=204)


@open_to_browsers
@door
def acquire(request: HttpRequest, **_: str) -> HttpResponse:
    """Tell a visitor's id before anything has happened."""
    inlet, _body, asked = _read(request)
    return _answer({"requestId": asked.request_id, "handle": _identity(inlet, asked)})


@open_to_browsers
@door
def set_consent(request: HttpRequest, **_: str) -> HttpResponse:
    """Take a person's choice: into the profile, and into the cookie that the SDK obeys."""
    inlet, body, asked = _read(request)
    try:
        _, general = consents_of(asked.consent)
    except EdgeInvalid as error:
        raise Malformed(str(error)) from error
    if inlet.facts.attributes is not None:
        _write(request, inlet, body, asked, count=1, is_choice=True)
    handles = [*_identity(inlet, asked), consent_state(_org_id(inlet), general)]
    return _answer({"requestId": asked.request_id, "handle": handles})


def _read(request: HttpRequest) -> tuple[OpenInlet, bytes, EdgeRequest]:
    inlet_id = request.GET.get("configId") or request.GET.get("dataStreamId", "")
    inlet = open_inlet(inlet_id, door=Door.EDGE, key="")
    allowed, origin = inlet.facts.settings.get("origins"), request.META.get("HTTP_ORIGIN")
    if allowed and origin not in allowed:
        raise Forbidden(f"This inlet takes nothing from pages of {origin}.")
    body, value = read_body(request)
    said_id = request.GET.get("requestId", "")
    try:
        asked = read_request(
            value,
            request_id=said_id if _REQUEST_ID.fullmatch(said_id) else "",
            cookies=request.COOKIES,
            ecid=_first_ecid(inlet, said_id),
        )
    except EdgeInvalid as error:
        raise Malformed(str(error)) from error
    return inlet, body, asked


def _first_ecid(inlet: OpenInlet, request_id: str) -> str:
    """Return the id for a visitor who has none yet.

    A browser whose first answer was lost sends the same request again, without a cookie:
    it must become the same visitor. Ids of other forms might be anybody's.
    """
    if _UNIQUE_ID.fullmatch(request_id):
        return derived_ecid(settings.SECRET_KEY, f"{inlet.id}:{request_id.lower()}")
    return new_ecid()


def _take(
    request: HttpRequest, inlet: OpenInlet, body: bytes, asked: EdgeRequest
) -> WrittenRow | None:
    if not asked.events or asked.refuses_collection:
        return None
    return _write(request, inlet, body, asked, count=len(asked.events))


def _write(
    request: HttpRequest,
    inlet: OpenInlet,
    body: bytes,
    asked: EdgeRequest,
    *,
    count: int,
    is_choice: bool = False,
) -> WrittenRow:
    details = {
        "ecid": asked.ecid,
        "request_id": asked.request_id,
        "user_agent": request.META.get("HTTP_USER_AGENT"),
        "ip": request.META.get("REMOTE_ADDR") or None,
        "is_choice": is_choice,
    }
    return write_down_row(inlet, form=FORM, body=body, count=count, details=details)


def _identity(inlet: OpenInlet, asked: EdgeRequest) -> list[dict[str, Any]]:
    return [identity_result(asked.ecid), identity_state(_org_id(inlet), asked.ecid)]


def _org_id(inlet: OpenInlet) -> str:
    return str(inlet.facts.settings["org_id"])


def _answer(body: dict[str, Any]) -> HttpResponse:
    answer = json_answer(body)
    answer.headers["X-Adobe-Edge"] = "CDP;1"
    return answer
