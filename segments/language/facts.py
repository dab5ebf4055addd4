"""One profile in hand: its document, its events, and the values that paths have in them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any as Json

from segments.language.scopes import Bound, Scope
from segments.language.tree_windows import read_timestamp
from segments.language.vocabulary import EVENT_ID, EVENT_TIME, EVENT_TYPE, Kind

Document = Mapping[str, Json]
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at a millisecond; the body is the record as sent."""

    at: int
    type: str = ""
    id: str = ""
    body: Document = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one profile.

    `segments` are those it is a member of; `entities` hold the look-up entities it
    may point to, by id and key.
    """

    profile: Document = field(default_factory=dict)
    events: Sequence[Event] = ()
    segments: frozenset[str] = frozenset()
    entities: Mapping[str, Mapping[str, Document]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Here:
    """What is looked at: the profile, and one event, item or entity of it."""

    scope: Scope
    profile: Document
    event: Event | None = None
    item: Document | None = None

    def at_event(self, event: Event) -> "Here":
        """Return the view of one event."""
        return replace(self, scope=self.scope.events(), event=event, item=None)

    def at_item(self, scope: Scope, item: Document) -> "Here":
        """Return the view of one item, or of one entity."""
        return replace(self, scope=scope, item=item)


def values_of(bound: Bound, path: str, of: str, here: Here) -> list[Json]:
    """Return the values a field has here, without those that are missing or of another kind."""
    if of == "event" and here.event is not None:
        own = {EVENT_TIME: here.event.at, EVENT_TYPE: here.event.type, EVENT_ID: here.event.id}
        if path in own:
            return [own[path]]
    read = (typed(value, bound.known.kind) for value in raw_values(path, of, here))
    return [value for value in read if value is not None]


def raw_values(path: str, of: str, here: Here) -> Iterator[Json]:
    """Yield what stands at a path, through every array on the way."""
    if of == "item":
        root: Json = here.item
    else:
        root = here.profile if of == "profile" else here.event and here.event.body
    yield from _below(root, path.split("."))


def items_of(path: str, of: str, here: Here) -> list[Document]:
    """Return the items of an array of objects."""
    return [item for item in raw_values(path, of, here) if isinstance(item, Mapping)]


def typed(value: Json, kind: Kind) -> Json:
    """Return a value as its kind is compared, or None if it is of another kind.

    >>> typed("2026-01-01T00:00:00Z", "time"), typed("5", "integer")
    (1767225600000, None)
    """
    match kind:
        case "text" | "day":
            return value if isinstance(value, str) else None
        case "number":
            return float(value) if _is_number(value) else None
        case "integer":
            return value if isinstance(value, int) and _is_number(value) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "time":
            return _time(value) if isinstance(value, str) else None
        case _:
            return value


def _below(node: Json, names: Sequence[str]) -> Iterator[Json]:
    if isinstance(node, list):
        for item in node:
            yield from _below(item, names)
    elif not names:
        if node is not None:
            yield node
    elif isinstance(node, Mapping) and names[0] in node:
        yield from _below(node[names[0]], names[1:])


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _time(text: str) -> int | None:
    if not TIMESTAMP.fullmatch(text):
        return None
    try:
        return read_timestamp(text)
    except ValueError:  # no such day or hour
        return None
