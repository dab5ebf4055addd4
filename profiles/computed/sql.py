"""One scan over the events of some persons that computes every attribute at once.

Values go in as parameters; names of fields come from the schemas and are quoted. Sums
are exact: they are made of whole millionths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cdp.schemas.registry.fields import Field
from profiles.computed.definition import Computation, Condition, Function

MICRO: Final = 1_000_000
MOST: Final = 1e60
_TYPES: Final[Mapping[str, str]] = {
    "number": "Float64",
    "integer": "Int64",
    "boolean": "Bool",
    "string": "String",
}
_OWN: Final[Mapping[str, str]] = {
    "eventType": "event_type",
    "_id": "event_id",
    "timestamp": "formatDateTime(ts, '%FT%T.%fZ', 'UTC')",
}
_AT: Final = "toUnixTimestamp64Milli(ts)"


@dataclass(slots=True)
class Scan:
    """A statement under way: its columns and parameters."""

    fields: Mapping[str, Field]
    now: datetime
    params: dict[str, Any] = field(default_factory=dict)

    def parameter(self, kind: str, value: Any) -> str:
        """Give a value a name of its own and return how it is written."""
        name = f"v{len(self.params)}"
        self.params[name] = value
        return f"{{{name}:{kind}}}"


def statement(
    computations: Sequence[Computation], fields: Mapping[str, Field], now: datetime
) -> tuple[str, dict[str, Any]]:
    """Return the scan and its parameters; `ids` and `owners` are for the caller to give.

    A row holds the owner and then one column for each computation.
    """
    scan = Scan(fields, now)
    columns = [_column(scan, one) for one in computations]
    oldest = _milliseconds(min(one.since(now) for one in computations))
    text = f"""
SELECT
    transform(identity_id, {{ids:Array(UInt64)}}, {{owners:Array(UInt64)}}, toUInt64(0)) AS owner,
    {", ".join(columns)}
FROM events
WHERE sandbox_id = {{sandbox:UInt32}}
    AND identity_id IN {{ids:Array(UInt64)}}
    AND ts > fromUnixTimestamp64Milli({scan.parameter("Int64", oldest)}, 'UTC')
    AND ts <= fromUnixTimestamp64Milli({scan.parameter("Int64", _milliseconds(now))}, 'UTC')
GROUP BY owner
"""
    return text, scan.params


def _column(scan: Scan, one: Computation) -> str:
    tests = [f"{_AT} > {scan.parameter('Int64', _milliseconds(one.since(scan.now)))}"]
    tests += [_test(scan, condition) for condition in one.conditions]
    where = " AND ".join(tests)
    if one.function is Function.COUNT:
        return f"countIf({where})"
    source = scan.fields[one.field]
    if one.function is Function.SUM:
        return _sum(source, where)
    if one.function in (Function.MIN, Function.MAX):
        return _extreme(one.function.value, source, where)
    seen = f"({where}) AND {_is_there(source)}"
    value = f"toJSONString({_value(source)})"
    if one.function is Function.MOST_RECENT:
        return f"argMaxIf(tuple({value}, {_AT}), tuple(ts, event_id), {seen})"
    return f"groupArraySortedIf({one.keep})(tuple(-{_AT}, event_id, {value}), {seen})"


def _sum(source: Field, where: str) -> str:
    """Return a tuple of the sum in millionths and of how many values went into it."""
    if _is_list(source):
        values = f"arrayFilter(x -> isNotNull(x), {_value(source)})"
        millionths = f"arraySum(x -> {_millionths('assumeNotNull(x)', source)}, {values})"
        return f"tuple(toString(sumIf({millionths}, {where})), sumIf(length({values}), {where}))"
    value = _value(source)
    seen = f"({where}) AND isNotNull({value})"
    millionths = _millionths(f"assumeNotNull({value})", source)
    return f"tuple(toString(sumIf({millionths}, {seen})), countIf({seen}))"


def _millionths(value: str, source: Field) -> str:
    """Return a number in whole millionths, in a type that holds sums of as many as there may be.

    What is beyond `MOST` counts as that: the store refuses to make it a whole number.
    """
    if source.type == "integer":
        return f"toInt256({value}) * {MICRO}"
    return f"toInt256(round(greatest(least({value}, {MOST}), -{MOST}) * {MICRO}))"


def _extreme(function: str, source: Field, where: str) -> str:
    if not _is_list(source):
        value = _ordered(source, _value(source))
        return f"{function}OrNullIf({value}, ({where}) AND isNotNull({value}))"
    every = f"arrayMap(x -> {_ordered(source, 'x')}, {_value(source)})"
    values = f"arrayFilter(x -> isNotNull(x), {every})"
    one = f"array{function.capitalize()}({values})"
    return f"{function}OrNullIf({one}, ({where}) AND notEmpty({values}))"


def _test(scan: Scan, condition: Condition) -> str:
    source = scan.fields[condition.field]
    if condition.operator == "exists":
        return _is_there(source)
    kind = "Int64" if is_time(source) else _TYPES.get(source.type, "String")
    x = _ordered(source, "x")
    values = condition.value if condition.operator == "in" else [condition.value]
    if source.type == "integer" and not all(map(_is_whole, values)):
        kind, x = "Float64", f"toFloat64({x})"
    if condition.operator == "in":
        given = scan.parameter(f"Array({kind})", _values(source, kind, values))
        one = f"has({given}, assumeNotNull({x})) AND isNotNull({x})"
    else:
        given = scan.parameter(kind, _values(source, kind, values)[0])
        one = f"ifNull({x} {condition.operator} {given}, false)"
    if _is_list(source):
        return f"arrayExists(x -> {one}, {_value(source)})"
    return f"arrayExists(x -> {one}, [{_value(source)}])"


def is_time(source: Field) -> bool:
    """Tell whether a field's text is a moment, to be compared as one."""
    return source.format == "date-time"


def _ordered(source: Field, text: str) -> str:
    """Return a value as it is compared: moments as milliseconds."""
    if not is_time(source):
        return text
    return f"toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull({text}, 3, 'UTC'))"


def _is_whole(value: float) -> bool:
    return int(value) == value


def _values(source: Field, kind: str, values: Sequence[Any]) -> list[Any]:
    if is_time(source):
        return [_milliseconds(datetime.fromisoformat(value)) for value in values]
    if kind == "Float64":
        return [float(value) for value in values]
    return [int(value) for value in values] if kind == "Int64" else list(values)


def _is_there(source: Field) -> str:
    test = "notEmpty" if _is_list(source) else "isNotNull"
    return f"{test}({_value(source)})"


def _is_list(source: Field) -> bool:
    return source.array or bool(source.in_array)


def _value(source: Field) -> str:
    """Return a typed read of a field; its name comes from a schema and is quoted."""
    if source.path in _OWN:
        return _OWN[source.path]
    text, path = "body", ""
    for name in source.path.split("."):
        path = f"{path}.{name}" if path else name
        quoted = name.replace("\\", "\\\\").replace("`", "\\`")
        text += f".`{quoted}`" + ("[]" if path in source.in_array else "")
    kind = _TYPES.get(source.type, "String")
    return f"{text}.:`{f'Array(Nullable({kind}))' if source.array else kind}`"


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
