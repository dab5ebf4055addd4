"""Numbers, texts and names as they are written."""

import json
import re

from segments.language.moments import UNITS, Unit

LARGEST_INTEGER = 2**63 - 1
LARGEST_NUMBER = 1e300
_DIGITS = len(str(LARGEST_INTEGER))
PLAIN_NAME = re.compile(r"[A-Za-z_@][A-Za-z0-9_@]*")
# Words that mean something where a path may begin.
RESERVED = frozenset(
    [
        "not",
        "let",
        "exists",
        "forall",
        "select",
        "true",
        "false",
        "now",
        "today",
        "yesterday",
        "tomorrow",
        "CHAIN",
        "xEvent",
        "sum",
        "count",
        "min",
        "max",
        "average",
        "distinct",
        "and",
        "or",
        "in",
        "notIn",
        "like",
        "occurs",
        "from",
        "where",
    ]
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


def read_number(text: str) -> int | float:
    """Return a written number; one that is too large is infinite.

    >>> read_number("250"), read_number("2.5"), read_number("1e3"), read_number("9" * 5_000)
    (250, 2.5, 1000.0, inf)
    """
    digits = text.lstrip("0") or "0"
    if text.isdigit() and len(digits) <= _DIGITS and int(digits) <= LARGEST_INTEGER:
        return int(digits)
    return float(text)


def read_text(quoted: str) -> str:
    r"""Return a written text without its quotes; a backslash before anything else stays.

    Raises `UnicodeError` for half of a character.

    >>> read_text('"50\\% \\"off\\""')
    '50\\% "off"'
    >>> read_text(r'"\ud83d\ude00"') == chr(0x1F600)
    True
    """
    return _joined(_ESCAPE.sub(_unescaped, quoted[1:-1]))


def write_text(text: str) -> str:
    r"""Return a text as it is written.

    >>> read_text(write_text('a"b\n\\')) == 'a"b\n\\'
    True
    """
    return json.dumps(text, ensure_ascii=False)


def read_name(text: str) -> str:
    """Return a name without its back-quotes."""
    return str(text[1:-1] if text.startswith("`") else text)


def write_path(path: str, *, first: bool = True) -> str:
    """Return a dotted path; names that are no plain words stand in back-quotes.

    >>> write_path("identityMap.e-mail.count")
    'identityMap.`e-mail`.count'
    """
    names = path.split(".")
    written = [name if PLAIN_NAME.fullmatch(name) else f"`{name}`" for name in names]
    if first and names[0] in RESERVED:
        written[0] = f"`{names[0]}`"
    return ".".join(written)


def read_unit(text: str) -> Unit:
    """Return a unit, written as one or as many.

    >>> read_unit("months"), read_unit("centuries")
    ('month', 'century')
    """
    if text.startswith("centur"):
        return "century"
    return next(unit for unit in UNITS if text.removesuffix("s") == unit)


def write_count(count: int, unit: str) -> str:
    """Return so many of a unit.

    >>> write_count(1, "day"), write_count(2, "century")
    ('1 day', '2 centuries')
    """
    if count == 1:
        return f"1 {unit}"
    return f"{count} centuries" if unit == "century" else f"{count} {unit}s"


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, f"\\{code}")


def _joined(text: str) -> str:
    """Join the two halves in which a character beyond the first 65,536 is escaped."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16")
