"""What no store can hold, whatever the schema says.

JSON Schema has no words for these: a record may be valid and still make a whole
insert fail, or come back different from what was sent. The common case is settled
by one pass of the serialiser in C and a few searches through its bytes; only a
record that looks suspicious is walked value by value.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

_JSON_ONLY = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_EXACT_ONLY = _JSON_ONLY | orjson.OPT_STRICT_INTEGER
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_LEAST, _MOST = -(2**63), 2**64 - 1

# With one of these the schema need not be asked, or cannot.
UNREADABLE = frozenset(
    {"lone_surrogate", "not_json", "too_deep", "too_many_fields", "record_too_large"}
)


@dataclass(frozen=True, slots=True)
class RecordError:
    """One thing that is wrong with a record; `path` is as in `items[2].name`."""

    path: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How large one record may be."""

    max_bytes: int = 1024 * 1024
    max_depth: int = 50
    max_fields: int = 10_000


LIMITS = Limits()


def screen(record: Any, limits: Limits) -> list[RecordError]:
    """Say what makes a record impossible to store exactly as it was sent."""
    try:
        text = orjson.dumps(record, option=_EXACT_ONLY)
    except TypeError:
        errors = list(_walk(record, limits))
        if errors:
            return errors
        text = orjson.dumps(record, option=_JSON_ONLY)
    if len(text) > limits.max_bytes:
        detail = f"The record has {len(text):,} bytes; at most {limits.max_bytes:,} are taken."
        return [RecordError("", "record_too_large", detail)]
    return list(_walk(record, limits)) if _suspicious(text, limits) else []


def _suspicious(text: bytes, limits: Limits) -> bool:
    """Tell whether the record must be walked; never False for one that is wrong."""
    containers = text.count(b"{") + text.count(b"[")
    return (
        b"null" in text  # also how the serialiser writes NaN and infinity
        or b"\\u0000" in text
        or containers + text.count(b",") > limits.max_fields
        or (containers > limits.max_depth and not _is_shallow(text, limits.max_depth))
    )


def _is_shallow(text: bytes, max_depth: int) -> bool:
    """Tell whether the nesting surely stays within the limit.

    Of the text only the brackets are kept; taking out the innermost pairs again and
    again leaves nothing after as many rounds as there are levels. Brackets inside
    texts may be left over, which is no proof of anything.
    """
    brackets = text.translate(None, _NO_BRACKETS)
    for _ in range(max_depth):
        if not brackets:
            return True
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return not brackets


def _walk(record: Any, limits: Limits) -> Iterator[RecordError]:
    """Check every key and value; not recursive, since the depth is the sender's choice."""
    waiting: list[tuple[str, Any, int]] = [("", record, 1)]
    fields = 0
    while waiting:
        path, value, depth = waiting.pop()
        if isinstance(value, dict | list):
            if depth > limits.max_depth:
                detail = f"The record nests deeper than {limits.max_depth} levels."
                yield RecordError(path[:200], "too_deep", detail)
                continue
            fields += len(value)
            if fields > limits.max_fields:
                detail = f"The record has more than {limits.max_fields:,} fields."
                yield RecordError("", "too_many_fields", detail)
                return
            if isinstance(value, dict):
                yield from _check_keys(path, value)
                below = [(f"{path}.{key}" if path else str(key), x) for key, x in value.items()]
            else:
                below = [(f"{path}[{index}]", x) for index, x in enumerate(value)]
            waiting.extend((place, x, depth + 1) for place, x in reversed(below))
        else:
            yield from _check_value(path, value)


def _check_keys(path: str, value: dict[Any, Any]) -> Iterator[RecordError]:
    for key in value:
        if not isinstance(key, str):
            yield RecordError(path, "not_json", f"The key {key!r} is not a text.")
        else:
            yield from _check_text(f"{path}.{key}" if path else key, key, "name")


def _check_value(path: str, value: Any) -> Iterator[RecordError]:
    if value is None:
        detail = "null is no value; leave the key out."
        yield RecordError(path, "null_value", detail)
    elif isinstance(value, str):
        yield from _check_text(path, value, "text")
    elif isinstance(value, int):
        yield from _check_whole(path, value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield RecordError(path, "number_not_finite", "A number must be finite.")
    else:
        detail = f"A {type(value).__name__} cannot be written as JSON."
        yield RecordError(path, "not_json", detail)


def _check_whole(path: str, value: int) -> Iterator[RecordError]:
    if not _LEAST <= value <= _MOST:
        yield RecordError(path, "number_too_big", "The number does not fit into 64 bits.")
    elif not int(float(value)) == value == Decimal(repr(float(value))):
        # Beside a float the event store makes a float of it, and writes its shortest digits.
        detail = "A double does not keep every digit of this number; send it as a text."
        yield RecordError(path, "number_not_exact", detail)


def _check_text(path: str, text: str, what: str) -> Iterator[RecordError]:
    if "\x00" in text:
        detail = f"The {what} contains a NUL character, which cannot be stored."
        yield RecordError(_printable(path), "nul_character", detail)
    if any("\ud800" <= char <= "\udfff" for char in text):
        detail = f"The {what} contains half of a surrogate pair, which is no character."
        yield RecordError(_printable(path), "lone_surrogate", detail)


def _printable(path: str) -> str:
    """Make a path fit to be shown and stored, however broken the names in it are."""
    return path.replace("\x00", "\\u0000").encode("utf-8", "backslashreplace").decode()
