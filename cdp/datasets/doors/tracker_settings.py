"""The documents from which browser trackers learn where to send what."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from cdp.datasets.doors.answers import json_answer
from cdp.datasets.doors.cross_origin import open_to_browsers
from cdp.datasets.doors.inlets import open_inlet_of_key
from cdp.datasets.doors.keys import key_of
from cdp.datasets.enums import Door
from cdp.datasets.errors import WriteKeyRefused


@open_to_browsers
def segment_settings(request: HttpRequest, key: str) -> HttpResponse:
    """Return what `analytics.js` asks for before it sends anything."""
    try:
        open_inlet_of_key(key, door=Door.SEGMENT)
    except WriteKeyRefused as error:
        return json_answer({"message": error.detail}, 404)
    return json_answer(
        {
            "integrations": {
                "Segment.io": {
                    "apiKey": key,
                    "apiHost": f"{request.get_host()}/v1",
                    "protocol": request.scheme,
                }
            },
            "plan": {"track": {"__default": {"enabled": True}}},
            "metrics": {"sampleRate": 0},
        }
    )


@open_to_browsers
def source_config(request: HttpRequest) -> HttpResponse:
    """Return what RudderStack's browser SDK asks for before it sends anything."""
    key = request.GET.get("writeKey") or key_of(request)
    try:
        inlet, key_id = open_inlet_of_key(key, door=Door.SEGMENT)
    except WriteKeyRefused as error:
        return json_answer({"message": error.detail}, 401)
    quiet = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    source: dict[str, Any] = {
        "id": key_id,
        "name": inlet.id,
        "writeKey": key,
        "enabled": True,
        "workspaceId": inlet.sandbox.organization_id,
        "connections": [],
        "destinations": [],
        "config": {"statsCollection": quiet},
        "dataplanes": {},
    }
    return json_answer({"source": source, "updatedAt": "2026-01-01T00:00:00Z"})
