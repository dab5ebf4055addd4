"""What a value looks like in a cell. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

# A spreadsheet takes such a cell for a formula; the wide forms are what some locales type.
_FORMULA: Final = re.compile(r"[\s\x00-\x20]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER: Final = re.compile(r"[+-]?\d+([.,]\d+)?")  # also a phone number such as +4512345678


def cell(value: Any, *, guarded: bool = True) -> str:
    """Write a value for a cell; with `guarded` no text can start a formula.

    >>> cell("=HYPERLINK(A1)"), cell("+4512345678"), cell(None), cell(True), cell(-2.5)
    ("'=HYPERLINK(A1)", '+4512345678', '', 'true', '-2.5')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        value = ";".join(cell(each, guarded=False) for each in value)
    text = str(value)
    if guarded and isinstance(value, str) and _is_formula(text):
        return f"'{text}"
    return text


def _is_formula(text: str) -> bool:
    return bool(_FORMULA.match(text)) and not _NUMBER.fullmatch(text)
