"""What a kind of source is: settings in, rows or files out.

A kind knows how to test, explore, preview and pull. When to pull, what has landed
already and what becomes of the rows is the same for all and lives in `services`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final

from cdp.datasets.files.rows import Row
from cdp.outgoing.accounts import Configurable

PREVIEW_ROWS: Final = 100
Marker = dict[str, Any]
OVERLAP: Final[dict[str, Any]] = {
    "type": "integer",
    "minimum": 0,
    "maximum": 86_400,
    "default": 0,
    "description": "For rows that appear later than they are dated: how far to look back.",
}


class SourceError(Exception):
    """The source could not be read. `permanent`: the same attempt would fail again.

    `wait` is for how many seconds the source wants to be left alone.
    """

    def __init__(self, detail: str, *, permanent: bool = False, wait: float = 0) -> None:
        super().__init__(detail)
        self.detail, self.permanent, self.wait = detail, permanent, wait


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be looked into (`folder`) or read (`table`, `file`)."""

    kind: str
    name: str
    path: str
    size: int | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a table or file; the type is one of JSON Schema, or a date format."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What a table or file looks like."""

    columns: list[Column]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the source is wanted.

    `marker` is what the last pull that landed has left; None for the first. `since`
    and `until` limit by the delta column; a source without one cannot be limited.
    `is_seen` tells which versions of files have landed.
    """

    marker: Marker | None = None
    since: datetime | None = None
    until: datetime | None = None
    is_seen: Callable[[Collection[tuple[str, str]]], set[tuple[str, str]]] = lambda _: set()


@dataclass(frozen=True, slots=True)
class Part:
    """One file's worth of what was pulled, as bytes that come while they are read.

    `is_whole` is asked when they have come. If they are none, such as of a file that
    is still being written, they are not taken this time.
    """

    name: str
    chunks: Iterator[bytes]
    is_whole: Callable[[], bool] = lambda: True


@dataclass(slots=True)
class Pull:
    """What a source gives. `marker` and `files` are whole when `parts` has ended.

    `files` are the (path, version) of what was read, for sources of files.
    """

    parts: Iterator[Part]
    input_format: str
    format_options: dict[str, Any] = field(default_factory=dict)
    marker: Marker | None = None
    files: list[tuple[str, str]] = field(default_factory=list)


class SourceType(Configurable, ABC):
    """One kind of source.

    `settings_schema` and `selection_schema` are JSON Schemas; what the first marks
    `writeOnly` is kept encrypted and never shown. `latency` says how old rows are
    when they arrive. Make a new kind as a module beside the others and register it
    in `cdp/datasets/apps.py`.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    category: ClassVar[str]
    latency: ClassVar[str] = "as often as its flow is scheduled, at best every minute"
    selection_schema: ClassVar[Mapping[str, Any]]
    # From a source's own names to XDM paths, for the suggestion of a mapping.
    known_fields: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def test(self) -> str:
        """Try the connection and say what was found. Raises `SourceError`."""

    @abstractmethod
    def explore(self, path: str) -> list[Entry]:
        """List what there is below a path. Raises `SourceError`."""

    @abstractmethod
    def preview(self, selection: Mapping[str, Any]) -> Sample:
        """Return columns and the first hundred rows. Raises `SourceError`."""

    @abstractmethod
    def pull(self, selection: Mapping[str, Any], window: Window) -> Pull:
        """Return what the window wants. Raises `SourceError`, also while parts are read."""


def columns_of(rows: list[Row]) -> list[Column]:
    """Tell the columns from some rows, in the order of their first appearance."""
    found: dict[str, str] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None and found.get(name, "null") == "null":
                found[name] = _type_of(value)
            else:
                found.setdefault(name, "null")
    return [Column(name, kind) for name, kind in found.items()]


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {int: "integer", float: "number", dict: "object", list: "array"}
    return names.get(type(value), "string")
