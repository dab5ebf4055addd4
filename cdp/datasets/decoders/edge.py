"""Events and choices that come through the Web SDK's door."""

from collections.abc import Iterator
from typing import Any

import orjson

from cdp.datasets.decoding import Decoded, Request, refused
from cdp.datasets.edge.consent import consents_of
from cdp.datasets.edge.request import events_of, identities_of
from cdp.datasets.edge.to_xdm import ADDED, to_record, with_ecid
from cdp.datasets.enums import Operation
from cdp.datasets.mapping.rules import CompiledMapping
from cdp.datasets.records import DatasetFacts, Received
from cdp.datasets.segment.default import compile_section
from cdp.errors import FieldError
from cdp.schemas.registry.cache import Cache
from cdp.schemas.registry.validation import CompiledSchema

_mappings: Cache[tuple[CompiledSchema, CompiledMapping, CompiledMapping]] = Cache(256)


def decode(request: Request) -> Iterator[Decoded]:
    """Decode the events of a request, or the choice of a person."""
    body = orjson.loads(request.body)
    if request.arrival.details.get("is_choice"):
        yield _choice(request, body)
        return
    events = events_of(body)
    common = identities_of({**body, "event": None, "events": []}, [])
    for position, event in enumerate(events):
        yield _event(request, position, event, common)


def _event(request: Request, position: int, event: dict[str, Any], common: Any) -> Decoded:
    route = request.inlet.events if request.inlet else None
    if route is None or request.inlet is None:
        return _homeless(request, position, event, "events")
    details = request.arrival.details
    dataset = request.known.datasets[route.dataset_id]
    added, rules = _rules(dataset, request.inlet.settings.get("rules", []))
    record, errors = to_record(
        event,
        identities=common,
        edge=details,
        event_id=f"{details['request_id'] or request.arrival.receipt_id}-{position}",
        received_at=request.arrival.received_at,
        added=added,
        rules=rules,
    )
    if errors:
        return refused(request.arrival, position, event, errors)
    return Received(request.arrival, position, record, route.dataset_id)


def _choice(request: Request, body: dict[str, Any]) -> Decoded:
    route = request.inlet.attributes if request.inlet else None
    if route is None:
        return _homeless(request, 0, body, "attributes")
    consents, _ = consents_of(body["consent"])
    identities = with_ecid(identities_of(body, []), request.arrival.details["ecid"])
    record = {"identityMap": identities, "consents": consents}
    return Received(request.arrival, 0, record, route.dataset_id, operation=Operation.MERGE)


def _homeless(request: Request, position: int, record: Any, what: str) -> Decoded:
    reason = FieldError(path="", code="no_dataset", detail=f"The inlet has no dataset for {what}.")
    return refused(request.arrival, position, record, [reason])


def _rules(dataset: DatasetFacts, own: Any) -> tuple[CompiledMapping, CompiledMapping]:
    key = dataset.schema_id, orjson.dumps(own)
    kept = _mappings.find(key)
    if kept is None or kept[0] is not dataset.schema:
        fields = dataset.schema.fields
        compiled = compile_section(ADDED, fields), compile_section(own, fields)
        kept = _mappings.keep(key, (dataset.schema, *compiled))
    return kept[1], kept[2]
