"""What one dataset says of one identity: how a new row changes it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

Document = dict[str, Any]
Path = tuple[str, ...]

SOURCE_TIME: Final = ("extSourceSystemAudit", "lastUpdatedDate")
MOST_ITEMS: Final = 10_000
"""What a list keeps, the newest, when more and more is put behind it."""

APART: Final = frozenset({"identityMap", "segmentMembership", "_id"})
"""Roots that are no attributes: who it is and what we know of it is kept elsewhere."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one dataset says of one identity.

    `at` is when the row as a whole was taken in (milliseconds). `times` holds
    other times, by dotted path, for what later rows changed in part.
    """

    identity: int
    dataset: str
    document: Document
    at: int
    times: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, str]:
        """Which fragment it is: one for each identity and dataset."""
        return self.identity, self.dataset


def leaves(document: Mapping[str, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Walk the values of a document; a list is one value.

    >>> list(leaves({"a": {"b": 1}, "c": [2]}))
    [(('a', 'b'), 1), (('c',), [2])]
    """
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key), value


def source_time(document: Mapping[str, Any]) -> int | None:
    """Return when the sending system last changed the row, if the row says so."""
    value: Any = document
    for key in SOURCE_TIME:
        value = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return int(moment.timestamp() * 1000) if moment.tzinfo else None


def replaced(identity: int, dataset: str, row: Mapping[str, Any], at: int) -> Fragment:
    """Return the fragment of a row that says everything anew."""
    return Fragment(identity, dataset, _attributes(row), at)


def merged(
    before: Fragment, row: Mapping[str, Any], at: int, appended: Collection[str] = ()
) -> Fragment:
    """Return the fragment after a row that changes only what it names; null takes a value away.

    A value that is newer than the row stays as it is. A list takes the place of the list
    before it; one at an `appended` path is put behind that.
    """
    document = _copied(before.document)
    times = dict(before.times)
    for path, value in leaves({k: v for k, v in row.items() if k not in APART}):
        dotted = ".".join(path)
        if times.get(dotted, before.at) > at:
            continue
        if value is None:
            _remove(document, path)
        elif dotted in appended and isinstance(value, list):
            put(document, path, [*_list_at(document, path), *value][-MOST_ITEMS:])
        else:
            put(document, path, value)
        times[dotted] = at
    return Fragment(before.identity, before.dataset, document, before.at, times)


def put(document: Document, path: Path, value: Any) -> None:
    """Set a value in a tree of its own; what stands in its way as a plain value gives way."""
    for key in path[:-1]:
        below = document.get(key)
        if not isinstance(below, dict):
            below = document[key] = {}
        document = below
    document[path[-1]] = value


def _attributes(row: Mapping[str, Any]) -> Document:
    return {
        key: below
        for key, value in row.items()
        if key not in APART and (below := _without_nulls(value)) is not None
    }


def _without_nulls(value: Any) -> Any:
    """Leave out what says nothing: nulls, and objects that hold nothing else."""
    if not isinstance(value, Mapping):
        return value
    kept = {k: below for k, v in value.items() if (below := _without_nulls(v)) is not None}
    return kept or None


def _list_at(document: Document, path: Path) -> list[Any]:
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, list) else []


def _copied(document: Document) -> Document:
    return {k: _copied(v) if isinstance(v, dict) else v for k, v in document.items()}


def _remove(document: Document, path: Path) -> None:
    for key in path[:-1]:
        below = document.get(key)
        if not isinstance(below, dict):
            return
        document = below
    document.pop(path[-1], None)
