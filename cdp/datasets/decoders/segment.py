"""Messages of Segment-compatible trackers, mapped to XDM."""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from cdp.datasets.decoding import Decoded, Request, refused
from cdp.datasets.enums import Operation
from cdp.datasets.records import DatasetFacts, Received
from cdp.datasets.routes import InletFacts, Route
from cdp.datasets.segment.messages import (
    MessageUnusable,
    happened_at,
    kind_of,
    messages_of,
    read_time,
    with_traits,
)
from cdp.datasets.segment.to_xdm import EventMapping, PersonMapping
from cdp.errors import FieldError
from cdp.schemas.registry.cache import Cache
from cdp.schemas.registry.validation import CompiledSchema

_PERSON_KINDS: Final = frozenset({"identify", "group", "alias"})
_mappings: Cache[tuple[CompiledSchema, EventMapping | PersonMapping]] = Cache(256)


def decode(request: Request) -> Iterator[Decoded]:
    """Decode one request; each message becomes one record, or is put aside."""
    value = orjson.loads(request.body)
    endpoint = request.arrival.details["endpoint"]
    for position, message in enumerate(messages_of(value, endpoint)):
        try:
            yield _record(request, position, message, read_time(value.get("sentAt")))
        except MessageUnusable as error:
            reason = FieldError(path=error.path, code=error.code, detail=error.detail)
            yield refused(request.arrival, position, message, [reason])


def _record(request: Request, position: int, message: Any, sent_at: Any) -> Decoded:
    if not isinstance(message, dict):
        raise MessageUnusable("", "not_an_object", "A message is a JSON object.")
    if request.inlet is None:
        raise MessageUnusable("", "inlet_gone", "The inlet has been deleted meanwhile.")
    kind, details = kind_of(message), request.arrival.details
    route = _route(kind, request.inlet)
    dataset = request.known.datasets[route.dataset_id]
    mapped = _mapping(request, request.inlet, dataset).apply(
        with_traits(message),
        happened_at(
            message,
            received_at=request.arrival.received_at,
            sent_at=sent_at,
            corrects=details["endpoint"] != "import",
        ),
    )
    if mapped.errors:
        return refused(request.arrival, position, message, mapped.errors)
    return Received(
        arrival=request.arrival,
        position=position,
        record=mapped.record,
        dataset_id=route.dataset_id,
        operation=Operation.CREATE if dataset.is_events else Operation.MERGE,
        dedup_scope=details["key"],
    )


def _route(kind: str, inlet: InletFacts) -> Route:
    """Choose the dataset: what is said of a person goes to attributes, if there are any."""
    preferred = inlet.attributes if kind in _PERSON_KINDS else None
    route = preferred or inlet.events
    if route is None:
        raise MessageUnusable("type", "no_dataset", f"The inlet has no dataset for '{kind}'.")
    return route


def _mapping(
    request: Request, inlet: InletFacts, dataset: DatasetFacts
) -> EventMapping | PersonMapping:
    """Return the compiled mapping; it is made anew when the schema or the settings change."""
    key = dataset.schema_id, orjson.dumps(inlet.settings, option=orjson.OPT_SORT_KEYS)
    kept = _mappings.find(key)
    if kept is not None and kept[0] is dataset.schema:
        return kept[1]
    tenant = f"_{request.known.sandbox.organization.tenant_namespace}"
    make = EventMapping if dataset.is_events else PersonMapping
    mapping = make(inlet.settings, dataset.schema.fields, tenant)
    return _mappings.keep(key, (dataset.schema, mapping))[1]
