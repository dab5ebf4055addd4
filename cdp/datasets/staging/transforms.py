"""From a row of a file to the record that is judged."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from cdp.datasets.files.rows import FileUnreadable, Row
from cdp.datasets.mapping.convert import converted
from cdp.datasets.mapping.errors import ExpressionInvalid, RowInvalid
from cdp.datasets.mapping.paths import Step, parse_path, plain_path, put
from cdp.datasets.mapping.rules import CompiledMapping, field_at
from cdp.errors import FieldError
from cdp.schemas.registry.fields import Field
from cdp.schemas.registry.validation import CompiledSchema

Transform = Callable[[Row], tuple[dict[str, Any], list[FieldError]]]


def as_it_is(row: Row) -> tuple[dict[str, Any], list[FieldError]]:
    """Take a row that has the schema's form already."""
    return row, []


def by_mapping(mapping: CompiledMapping, now: datetime) -> Transform:
    """Make the transform of a mapping set."""
    return lambda row: mapping.apply(row, now=now)


class ByColumnPaths:
    """Writes each column to the field that its name is the path of, as the field's type.

    Raises `FileUnreadable` for a column that the schema has no field for.
    """

    def __init__(self, schema: CompiledSchema) -> None:
        self._schema = schema
        self._targets: dict[str, tuple[tuple[Step, ...], Field | None]] = {}

    def __call__(self, row: Row) -> tuple[dict[str, Any], list[FieldError]]:
        record: dict[str, Any] = {}
        errors: list[FieldError] = []
        for column, value in row.items():
            steps, field = self._targets.get(column) or self._target(column)
            try:
                put(record, steps, converted(value, field))
            except RowInvalid as error:
                errors.append(FieldError(path=column, code="wrong_type", detail=str(error)))
        return record, errors

    def _target(self, column: str) -> tuple[tuple[Step, ...], Field | None]:
        try:
            target = parse_path(column), field_at(plain_path(column), self._schema.fields)
        except ExpressionInvalid as error:
            raise FileUnreadable("unknown_column", error.detail) from error
        self._targets[column] = target
        return target
