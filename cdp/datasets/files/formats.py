"""Which reader reads a file, and with which options."""

from typing import Any, BinaryIO, Final

from cdp.datasets.enums import FileFormat
from cdp.datasets.files import csv_rows, json_array, json_lines, parquet
from cdp.datasets.files.csv_rows import CHARSETS, Dialect
from cdp.datasets.files.packed import unpacked
from cdp.datasets.files.rows import Rows
from cdp.errors import FieldError

_CSV_OPTIONS: Final = {"delimiter", "quote", "escape", "null_marker", "header", "charset"}


def read_rows(source: BinaryIO, input_format: str, options: dict[str, Any]) -> Rows:
    """Yield a file's rows; gzip around a text format is taken off. Raises `FileUnreadable`."""
    match input_format:
        case FileFormat.PARQUET:
            return parquet.read(source)
        case FileFormat.CSV:
            return csv_rows.read(unpacked(source), dialect_of(options))
        case FileFormat.JSON_ARRAY:
            return json_array.read(unpacked(source))
    return json_lines.read(unpacked(source))


def dialect_of(options: dict[str, Any]) -> Dialect:
    """Return the dialect that a batch's options describe."""
    return Dialect(**{**options, "header": tuple(options.get("header") or ())})


def check_options(input_format: str, options: dict[str, Any]) -> list[FieldError]:
    """Say which options are unknown or make no sense; nothing if they can be used."""
    known = _CSV_OPTIONS if input_format == FileFormat.CSV else set()
    errors = [
        _error(name, f"The format '{input_format}' has no option '{name}'.")
        for name in options
        if name not in known
    ]
    if errors:
        return errors
    for name in ("delimiter", "quote", "escape"):
        value = options.get(name, "," if name == "delimiter" else "")
        least = 1 if name == "delimiter" else 0
        if not isinstance(value, str) or not least <= len(value) <= 1 or value in ("\n", "\r"):
            errors.append(_error(name, f"'{name}' is a single character."))
    if not isinstance(options.get("null_marker", ""), str):
        errors.append(_error("null_marker", "'null_marker' is a text."))
    if options.get("charset", "UTF-8") not in CHARSETS:
        errors.append(_error("charset", f"Use one of {', '.join(CHARSETS)}."))
    header = options.get("header", [])
    if not isinstance(header, list) or not all(isinstance(name, str) for name in header):
        errors.append(_error("header", "'header' is a list of the columns' names."))
    return errors


def _error(name: str, detail: str) -> FieldError:
    return FieldError(path=f"format_options.{name}", code="invalid", detail=detail)
