"""What is sent on: the records of a request as XDM, those that the rule wants."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from cdp.datasets import selectors
from cdp.datasets.decoding import Known, arrival_of, decode
from cdp.datasets.models import ForwardingRule
from cdp.datasets.records import DatasetFacts, Received
from cdp.queue import Item
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox

ACTOR: Final = Actor.system("datasets.forwarding")


class ForwardingFailed(Exception):
    """The receiver did not take it; the queue tries again later."""


def find_rules(sandbox: Sandbox, rule_ids: Iterable[str]) -> dict[str, ForwardingRule]:
    """Return the rules that still stand and are switched on."""
    found = (
        ForwardingRule.objects.for_sandbox(sandbox)
        .select_related("sandbox__organization")
        .filter(pk__in=set(rule_ids), enabled=True)
    )
    return {rule.pk: rule for rule in found}


def known_of(sandbox: Sandbox, items: Sequence[Item]) -> Known:
    """Look up what decoders need for these requests."""
    inlets = selectors.inlet_facts(sandbox, {arrival_of(item).inlet_id for item in items})
    routed = {route.dataset_id for inlet in inlets.values() for route in inlet.routes.all}
    return Known(sandbox, inlets, selectors.dataset_facts(sandbox, routed))


def wanted_records(item: Item, known: Known, rule: ForwardingRule) -> list[Received]:
    """Return the records of one request that the rule wants."""
    return [
        place
        for place in decode([item], known)
        if isinstance(place, Received) and _is_wanted(place.record, rule)
    ]


def person_key(record: Any, dataset: DatasetFacts | None) -> str:
    """Name the person whom a record is about, as far as the record itself tells.

    The primary identity, else the first one; nothing for a record of nobody.
    """
    if not isinstance(record, dict):
        return ""
    named = _in_map(record.get("identityMap"))
    fields = dataset.schema.identities if dataset else ()
    named += [
        (each.primary, f"{each.namespace}:{value}")
        for each in fields
        if (value := _at(record, each.path))
    ]
    primary = (name for is_primary, name in named if is_primary)
    return next(primary, named[0][1] if named else "")


def _in_map(identity_map: Any) -> list[tuple[bool, str]]:
    if not isinstance(identity_map, dict):
        return []
    return [
        (item.get("primary") is True, f"{namespace}:{item['id']}")
        for namespace, items in identity_map.items()
        if isinstance(items, list)
        for item in items
        if isinstance(item, dict) and item.get("id")
    ]


def _at(record: Any, path: str) -> str:
    for part in path.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record if isinstance(record, str) else ""


def _is_wanted(record: Any, rule: ForwardingRule) -> bool:
    if not rule.event_types:
        return True
    return isinstance(record, dict) and record.get("eventType") in rule.event_types
