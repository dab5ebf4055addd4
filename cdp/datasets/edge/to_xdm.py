"""From an event as a browser tells it to an XDM record."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cdp.datasets.edge.request import Identities
from cdp.datasets.mapping.convert import rfc3339
from cdp.datasets.mapping.rules import CompiledMapping
from cdp.datasets.segment.default import Pairs
from cdp.datasets.segment.to_xdm import merge
from cdp.errors import FieldError

# What the edge knows and the page does not say.
ADDED: Final[Pairs] = [
    ("environment.browserDetails.userAgent", "edge.user_agent"),
    ("environment.ipV4", 'edge.ip ~ "^[0-9.]+$" ? edge.ip : null'),
    ("environment.ipV6", 'edge.ip ~ ":" ? edge.ip : null'),
]


def to_record(
    event: Mapping[str, Any],
    *,
    identities: Identities,
    edge: Mapping[str, Any],
    event_id: str,
    received_at: datetime,
    added: CompiledMapping,
    rules: CompiledMapping,
) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the record of an event, with everything that went wrong.

    What the page says wins over what the edge adds; the inlet's own rules, which may
    read the event's free `data`, win over both.
    """
    said = dict(event.get("xdm") or {})
    row = {**event, "edge": edge}
    record, errors = added.apply(row, now=received_at)
    merge(record, said)
    mapped, wrong = rules.apply(row, now=received_at)
    merge(record, mapped)
    record.setdefault("timestamp", rfc3339(received_at))
    record.setdefault("_id", event_id)
    record["identityMap"] = with_ecid({**identities, **said.get("identityMap", {})}, edge["ecid"])
    return record, errors + wrong


def with_ecid(identities: Mapping[str, Any], ecid: str) -> dict[str, Any]:
    """Add the visitor's id; it is the primary one if the page has named nobody else."""
    known = {name: items for name, items in identities.items() if name != "ECID"}
    named = any(
        isinstance(item, dict) and item.get("primary")
        for items in known.values()
        if isinstance(items, list)
        for item in items
    )
    item = {"id": ecid, "authenticatedState": "ambiguous", "primary": not named}
    return {**known, "ECID": [item]}
