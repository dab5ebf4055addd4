"""What a browser, a phone or a server asks of the edge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cdp.datasets.edge.ecid import from_cookie, is_ecid
from cdp.datasets.records import Accepted

MOST_EVENTS: Final = 1_000
COOKIE_PREFIX: Final = "kndctr_"
Identities = dict[str, list[dict[str, Any]]]


class EdgeInvalid(ValueError):
    """The body is JSON, but not a request of this protocol."""


@dataclass(frozen=True, slots=True)
class EdgeRequest:
    """One request as understood. `state` are the cookies, wherever they came from.

    `accepted` are its events as they will be stored, for those who answer at once.
    """

    request_id: str
    ecid: str
    events: list[dict[str, Any]] = field(default_factory=list)
    identities: Identities = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    consent: list[dict[str, Any]] = field(default_factory=list)
    accepted: Sequence[Accepted] = ()

    @property
    def refuses_collection(self) -> bool:
        """Tell whether the person has said before that nothing may be collected."""
        return any(
            key.endswith("_consent") and "general=out" in value for key, value in self.state.items()
        )


def read_request(
    body: Any, *, request_id: str, cookies: Mapping[str, str], ecid: str
) -> EdgeRequest:
    """Understand a body. `ecid` is for a visitor who has none yet. Raises `EdgeInvalid`."""
    if not isinstance(body, dict):
        raise EdgeInvalid("A request is a JSON object.")
    state = {**cookies, **_entries(body)}
    events = events_of(body)
    identities = identities_of(body, events)
    return EdgeRequest(
        request_id=request_id,
        ecid=_known_ecid(state, identities) or ecid,
        events=events,
        identities=identities,
        state=state,
        query=_object(body, "query"),
        consent=_list(body, "consent"),
    )


def events_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a request; a server may send a single one as `event`."""
    single = body.get("event")
    events = [single] if isinstance(single, dict) else _list(body, "events")
    if len(events) > MOST_EVENTS:
        raise EdgeInvalid(f"A request may hold {MOST_EVENTS:,} events at most.")
    for index, event in enumerate(events):
        if not isinstance(_object(event, "xdm").get("identityMap", {}), dict):
            raise EdgeInvalid(f"events[{index}].xdm.identityMap is an object.")
    return events


def identities_of(body: Mapping[str, Any], events: list[dict[str, Any]]) -> Identities:
    """Return everybody whom the request names, for the request as a whole and in its events."""
    maps = [
        body.get("identityMap"),
        _object(body, "xdm").get("identityMap"),
        *(_object(event, "xdm").get("identityMap") for event in events),
    ]
    found: Identities = {}
    for given in maps:
        for namespace, items in (given if isinstance(given, dict) else {}).items():
            known = found.setdefault(namespace, [])
            for item in items if isinstance(items, list) else []:
                if isinstance(item, dict) and item.get("id") and item not in known:
                    known.append(item)
    return found


def _known_ecid(state: Mapping[str, str], identities: Identities) -> str | None:
    for item in identities.get("ECID", []):
        if is_ecid(item["id"]):
            return str(item["id"])
    cookies = (
        from_cookie(value)
        for key, value in state.items()
        if key.startswith(COOKIE_PREFIX) and key.endswith("_identity")
    )
    return next((ecid for ecid in cookies if ecid), None)


def _entries(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the cookies that a page of another site sends in the body."""
    entries = _list(_object(_object(body, "meta"), "state"), "entries")
    return {
        entry["key"]: entry["value"]
        for entry in entries
        if isinstance(entry.get("key"), str) and isinstance(entry.get("value"), str)
    }


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name) if isinstance(parent, Mapping) else None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise EdgeInvalid(f"'{name}' is an object.")
    return value


def _list(parent: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = parent.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise EdgeInvalid(f"'{name}' is a list of objects.")
    return value
