"""Rows and columns of SQL databases as JSON."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from cdp.datasets.files.rows import Row
from cdp.datasets.mapping.convert import rfc3339

# Beside the columns that are wanted, the one that tells what is new; no part of the row.
MARK: Final = "__mark"


def json_row(row: sa.RowMapping) -> Row:
    """Return a row without what is null in it."""
    return {
        str(name): json_value(value)
        for name, value in row.items()
        if value is not None and name != MARK
    }


def json_value(value: Any) -> Any:
    """Return a value as JSON has it; a time without a zone is UTC."""
    match value:
        case str() | bool() | int() | float() | dict() | list() | None:
            return value
        case datetime():
            return rfc3339(value if value.tzinfo else value.replace(tzinfo=UTC))
        case date() | time():
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case UUID():
            return str(value)
        case bytes() | memoryview():
            return bytes(value).decode("utf-8", "backslashreplace")
    return str(value)


def type_name(column: sa.Column[Any]) -> str:
    """Return a column's type in the words of JSON Schema."""
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return "string"
    names = {
        bool: "boolean", int: "integer", float: "number", Decimal: "number",
        datetime: "date-time", date: "date", dict: "object", list: "array",
    }  # fmt: skip
    return names.get(kind, "string")
