"""Where an expression stands in a statement, and how a field is read there.

A frame answers with SQL for a field of its scope. Fields read from a table become
columns of its sub-query, each read once; within an array they become variables of
a lambda over the arrays of just those fields that are asked for, never of whole
items.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from segments.language.scopes import Bound, Scope
from segments.language.sql.expressions import Sql
from segments.language.vocabulary import EVENT_ID, EVENT_TIME, EVENT_TYPE, Base, Kind, Known

TYPES: dict[Kind, str] = {
    "text": "String",
    "number": "Float64",
    "integer": "Int64",
    "boolean": "Bool",
    "time": "String",
    "day": "String",
}
BITS = 63  # of a number that carries as many tests
# Events have these as columns of their own: how each is read, and its name.
OWN_COLUMNS = {
    EVENT_TIME: ("toUnixTimestamp64Milli(ts)", "at"),
    EVENT_TYPE: ("event_type", "event_type"),
    EVENT_ID: ("event_id", "event_id"),
}


class Columns:
    """The JSON paths that a sub-query reads, each under a name, and what it finds in arrays."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.names: dict[str, str] = {}
        self.many: dict[str, bool] = {}  # whether a column holds an array
        self.sought: dict[str, dict[str, int]] = {}  # arrays, and texts by their places

    def name(self, source: str, *, many: bool = False) -> str:
        """Return the column that holds an expression over the table's own columns."""
        name = self.names.setdefault(source, f"{self.prefix}{len(self.names)}")
        self.many[name] = many
        return name

    def holds(self, array: str, text: str) -> str:
        """Return whether an array holds a constant text.

        Many texts are sought in one pass over the array, which makes each of them a bit.
        """
        texts = self.sought.setdefault(array, {})
        place = texts.setdefault(text, len(texts))
        return f"bitTest({self._found(array, place // BITS)}, {place % BITS})"

    def sources(self) -> dict[str, str]:
        """Return how each column is read or found, by its name."""
        return {name: source for source, name in self.names.items()} | {
            self._found(array, number): _found_in(array, part)
            for array, texts in self.sought.items()
            for number, part in enumerate(in_bits(texts))
        }

    def listed(self) -> str:
        """Return the columns as a select list that begins with a comma."""
        return "".join(f",\n        {source} AS {name}" for name, source in self.sources().items())

    def _found(self, array: str, number: int) -> str:
        return f"{self.prefix}_found{list(self.sought).index(array)}_{number}"


def in_bits(tests: Iterable[str]) -> Iterator[Sequence[str]]:
    """Yield as many of them at a time as a number has bits."""
    waiting = iter(tests)
    while part := list(islice(waiting, BITS)):
        yield part


def _found_in(array: str, texts: Sequence[str]) -> str:
    """Return a number with a bit for each of the texts that an array holds."""
    if len(texts) == 1:
        return f"has({array}, {texts[0]})"
    bits = ", ".join(str(1 << place) for place in range(len(texts)))
    bit = f"ifNull(transform(h, [{', '.join(texts)}], [{bits}], toUInt64(0)), 0)"
    return f"arrayReduce('groupBitOr', arrayMap(h -> {bit}, {array}))"


class Frame(ABC):
    """One place to stand."""

    scope: Scope

    @abstractmethod
    def read(self, bound: Bound) -> Sql:
        """Return a field's value, with one array level for each that is not opened here."""

    @abstractmethod
    def items(self, array: Bound) -> str:
        """Return an array of objects, for its length."""

    def holds(self, array: str, text: str) -> str:
        """Return whether an array that was read here holds a constant text."""
        return f"has({array}, {text})"

    @abstractmethod
    def root(self, base: Base) -> "Frame":
        """Return the whole profile or event in which this stands."""


class TableFrame(Frame):
    """A row of a table with a JSON body: a profile, an event or an entity."""

    def __init__(self, scope: Scope, columns: Columns) -> None:
        self.scope = scope
        self.columns = columns

    def read(self, bound: Bound) -> Sql:
        if bound.base == "event" and bound.path in OWN_COLUMNS:
            source, name = OWN_COLUMNS[bound.path]
            self.columns.names[source] = name
            return Sql(name, bound.known.kind, nullable=False)
        depth = len(bound.known.in_array) + bound.known.array
        name = self.columns.name(json_path(bound), many=depth > 0)
        return as_kind(Sql(name, bound.known.kind, depth=depth))

    def items(self, array: Bound) -> str:
        return self.columns.name(f"{json_names(array)}.:`Array(JSON)`", many=True)

    def root(self, base: Base) -> Frame:
        return self


class EventFrame(TableFrame):
    """An event, beside the profile whose it is; one that is `ahead` may not have happened yet."""

    def __init__(self, scope: Scope, columns: Columns, profile: TableFrame, ahead: bool) -> None:
        super().__init__(scope, columns)
        self.profile = profile
        self.ahead = ahead

    def holds(self, array: str, text: str) -> str:
        return self.columns.holds(array, text)

    def root(self, base: Base) -> Frame:
        return self.profile if base == "profile" else self


@dataclass(slots=True)
class Variables:
    """The variables of a lambda and the arrays they run over."""

    level: int
    arrays: dict[str, str]

    def name(self, array: str) -> str:
        """Return the variable for the items of an array."""
        return self.arrays.setdefault(array, f"i{self.level}_{len(self.arrays)}")


class ItemFrame(Frame):
    """One item of an array, inside a lambda."""

    def __init__(self, parent: Frame, array: Bound, level: int) -> None:
        self.parent = parent
        self.array = array
        self.scope = parent.scope.items(array)
        self.variables = Variables(level, {})

    def read(self, bound: Bound) -> Sql:
        whole = self.parent.read(bound)
        return Sql(self.variables.name(whole.text), whole.kind, depth=whole.depth - 1)

    def items(self, array: Bound) -> str:
        return self.variables.name(self.parent.items(array))

    def root(self, base: Base) -> Frame:
        return self.parent.root(base)

    def over(self, function: str, body: str) -> str:
        """Return a higher-order function over the items, whose lambda has this body."""
        if not self.variables.arrays:
            self.variables.name(self.parent.items(self.array))
        names = ", ".join(self.variables.arrays.values())
        return f"{function}(({names}) -> {body}, {', '.join(self.variables.arrays)})"


def json_names(bound: Bound) -> str:
    """Return a path into the JSON body, arrays on the way marked."""
    text, path = "body", ""
    for name in bound.path.split("."):
        path = f"{path}.{name}" if path else name
        text += f".`{name}`" + ("[]" if path in bound.known.in_array else "")
    return text


def json_text(path: str) -> str:
    """Return the read of a text that no array lies around."""
    return json_path(Bound("entity", path, Known(path, "text"), 0))


def json_path(bound: Bound) -> str:
    """Return a typed read of a JSON path.

    >>> from segments.language.vocabulary import Known
    >>> known = Known("items.price", "number", in_array=("items",))
    >>> json_path(Bound("event", "items.price", known, 0))
    'body.`items`[].`price`.:`Float64`'
    """
    inner = TYPES[bound.known.kind]
    return f"{json_names(bound)}.:`{f'Array(Nullable({inner}))' if bound.known.array else inner}`"


def as_kind(value: Sql) -> Sql:
    """Return a read value as its kind is compared: times as milliseconds."""
    if value.kind != "time":
        return value
    return Sql(_milliseconds(value.text, value.depth), "time", depth=value.depth)


def _milliseconds(text: str, depth: int) -> str:
    if depth == 0:
        return f"toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull({text}, 3, 'UTC'))"
    return f"arrayMap(t{depth} -> {_milliseconds(f't{depth}', depth - 1)}, {text})"
