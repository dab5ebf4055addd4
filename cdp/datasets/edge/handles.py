"""The parts of an answer that a browser acts on."""

from typing import Any, Final

from cdp.datasets.edge.ecid import to_cookie
from cdp.datasets.edge.request import COOKIE_PREFIX

_IDENTITY_SECONDS: Final = 34_128_000  # 13 months
_CONSENT_SECONDS: Final = 15_552_000  # 6 months


def identity_result(ecid: str) -> dict[str, Any]:
    """Tell the visitor's id."""
    return {"type": "identity:result", "payload": [{"id": ecid, "namespace": {"code": "ECID"}}]}


def identity_state(org_id: str, ecid: str) -> dict[str, Any]:
    """Have the id kept in its cookie."""
    return _state(_entry(org_id, "identity", to_cookie(ecid), _IDENTITY_SECONDS))


def consent_state(org_id: str, general: str) -> dict[str, Any]:
    """Have the choice kept in its cookie; without it the SDK would wait for ever."""
    return _state(_entry(org_id, "consent", f"general={general}", _CONSENT_SECONDS))


def _state(entry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "state:store", "payload": [entry]}


def _entry(org_id: str, name: str, value: str, seconds: int) -> dict[str, Any]:
    key = f"{COOKIE_PREFIX}{org_id.replace('@', '_')}_{name}"
    return {"key": key, "value": value, "maxAge": seconds, "attrs": {"SameSite": "None"}}
