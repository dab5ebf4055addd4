"""Functions of texts."""

from functools import lru_cache, partial
from typing import Any

import re2

from cdp.datasets.mapping.errors import RowInvalid
from cdp.datasets.mapping.functions.registry import (
    MOST_CHARACTERS,
    bounded,
    function,
    list_of,
    text_of,
    whole_of,
)

text_function = partial(function, area="text")


@lru_cache(maxsize=1_024)
def pattern(text: str) -> Any:
    """Compile a regular expression (RE2, so in linear time). Raises `RowInvalid`."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        raise RowInvalid(f"'{text[:60]}' is no regular expression of the kind RE2.") from error


@text_function(
    "concat(a, b, ...)",
    "Join values to one text; null counts as empty.",
    example=('concat("Sarah", " ", "Rose")', "Sarah Rose"),
    takes_null=True,
)
def concat(*values: Any) -> str:
    return bounded("".join(text_of(value) for value in values if value is not None))


@text_function(
    "explode(text, regex)",
    "Split a text at each match of a regular expression.",
    example=('explode("a, b;c", "[,;] *")', ["a", "b", "c"]),
)
def explode(text: Any, regex: str) -> list[str]:
    return list(pattern(regex).split(text_of(text)))


@text_function(
    "split(text, separator)",
    "Split a text at each separator.",
    example=('split("a|b", "|")', ["a", "b"]),
)
def split(text: Any, separator: str) -> list[str]:
    return text_of(text).split(separator) if separator else [text_of(text)]


@text_function(
    "join(separator, values)",
    "Join the items of an array, or several values, with a separator.",
    example=('join("-", ["a", "b"])', "a-b"),
)
def join(separator: str, *values: Any) -> str:
    items = list_of(values[0]) if len(values) == 1 else list(values)
    return bounded(text_of(separator).join(text_of(item) for item in items if item is not None))


@text_function(
    "instr(text, part)",
    "Say at which character, counted from 1, a part begins; 0 if it is not in the text.",
    example=('instr("abc", "c")', 3),
)
def instr(text: Any, part: Any) -> int:
    return text_of(text).find(text_of(part)) + 1


@text_function(
    "replacestr(text, old, new)",
    "Replace every occurrence of a part.",
    example=('replacestr("a-b-c", "-", "/")', "a/b/c"),
)
def replacestr(text: Any, old: Any, new: Any) -> str:
    if not text_of(old):
        return text_of(text)
    return bounded(text_of(text).replace(text_of(old), text_of(new)))


@text_function(
    "substr(text, start, length)",
    "Take a part of a text; the first character is 0. Without a length: to the end.",
    example=('substr("Sarah", 1, 3)', "ara"),
)
def substr(text: Any, start: Any, length: Any = None) -> str:
    begin = max(0, whole_of(start))
    end = None if length is None else begin + max(0, whole_of(length))
    return text_of(text)[begin:end]


@text_function(
    "lower(text)", "Write in small letters.", example=('lower("ABC")', "abc"), also=("lcase",)
)
def lower(text: Any) -> str:
    return text_of(text).lower()


@text_function(
    "upper(text)", "Write in capitals.", example=('upper("abc")', "ABC"), also=("ucase",)
)
def upper(text: Any) -> str:
    return text_of(text).upper()


@text_function(
    "lpad(text, length, filler)",
    "Fill up on the left to a length, or cut to it.",
    example=('lpad("7", 3, "0")', "007"),
)
def lpad(text: Any, length: Any, filler: Any) -> str:
    return _filler(text, length, filler) + text_of(text)[: _length(length)]


@text_function(
    "rpad(text, length, filler)",
    "Fill up on the right to a length, or cut to it.",
    example=('rpad("a", 3, ".")', "a.."),
)
def rpad(text: Any, length: Any, filler: Any) -> str:
    return text_of(text)[: _length(length)] + _filler(text, length, filler)


@text_function("left(text, n)", "Take the first n characters.", example=('left("Sarah", 2)', "Sa"))
def left(text: Any, n: Any) -> str:
    return text_of(text)[: max(0, whole_of(n))]


@text_function("right(text, n)", "Take the last n characters.", example=('right("Sarah", 2)', "ah"))
def right(text: Any, n: Any) -> str:
    count = max(0, whole_of(n))
    return text_of(text)[-count:] if count else ""


@text_function("trim(text)", "Cut blanks off both ends.", example=('trim("  a ")', "a"))
def trim(text: Any) -> str:
    return text_of(text).strip()


@text_function("ltrim(text)", "Cut blanks off the left.", example=('ltrim("  a")', "a"))
def ltrim(text: Any) -> str:
    return text_of(text).lstrip()


@text_function("rtrim(text)", "Cut blanks off the right.", example=('rtrim("a  ")', "a"))
def rtrim(text: Any) -> str:
    return text_of(text).rstrip()


@text_function(
    "text_or_null(text)",
    "Return the text, or null if nothing but blanks is in it.",
    example=('text_or_null(" ")', None),
)
def text_or_null(text: Any) -> str | None:
    return text_of(text) if text_of(text).strip() else None


@text_function(
    "equals(a, b)", "Tell whether two texts are the same.", example=('equals("a", "a")', True)
)
def equals(first: Any, second: Any) -> bool:
    return text_of(first) == text_of(second)


@text_function(
    "equalsIgnoreCase(a, b)",
    "Tell whether two texts are the same but for capitals.",
    example=('equalsIgnoreCase("Gold", "GOLD")', True),
)
def equals_ignore_case(first: Any, second: Any) -> bool:
    return text_of(first).lower() == text_of(second).lower()


@text_function(
    "extract_regex(text, regex)",
    "Return the groups of the first match, the whole match first; empty without one.",
    example=('extract_regex("E259,E259B", "([^,]+),[^,]*")', ["E259,E259B", "E259"]),
)
def extract_regex(text: Any, regex: str) -> list[str | None]:
    match = pattern(regex).search(text_of(text))
    return [match.group(0), *match.groups()] if match else []


@text_function(
    "matches_regex(text, regex)",
    "Tell whether the whole text matches a regular expression.",
    example=('matches_regex("A1", "[A-Z][0-9]")', True),
)
def matches_regex(text: Any, regex: str) -> bool:
    return pattern(regex).fullmatch(text_of(text)) is not None


@text_function(
    "mask(text, prefix, suffix)",
    "Hide a text with asterisks but for its first and last characters.",
    example=('mask("4111111111111111", 0, 4)', "************1111"),
)
def mask(text: Any, prefix: Any, suffix: Any) -> str:
    given = text_of(text)
    shown_left, shown_right = max(0, whole_of(prefix)), max(0, whole_of(suffix))
    hidden = len(given) - shown_left - shown_right
    if hidden <= 0:
        return given
    return given[:shown_left] + "*" * hidden + given[len(given) - shown_right :]


def _length(length: Any) -> int:
    wanted = whole_of(length)
    if wanted > MOST_CHARACTERS:
        raise RowInvalid(f"A text has {MOST_CHARACTERS:,} characters at most.")
    return max(0, wanted)


def _filler(text: Any, length: Any, filler: Any) -> str:
    missing, unit = _length(length) - len(text_of(text)), text_of(filler)
    if missing <= 0 or not unit:
        return ""
    return (unit * (missing // len(unit) + 1))[:missing]
