"""Rows of models from statements that are written out.

For what every request reads: composing a query takes Django longer than answering it takes
PostgreSQL.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def columns(model: type[models.Model]) -> list[str]:
    """Return the columns of a model in the order in which `row_of` takes them."""
    return [field.attname for field in model._meta.concrete_fields]


def listed(model: type[models.Model], alias: str) -> str:
    """Return a model's columns for a SELECT."""
    return ", ".join(f"{alias}.{name}" for name in columns(model))


def row_of(model: type[Row], values: Sequence[Any]) -> Row:
    """Return a row of a model from the values of its columns."""
    return model.from_db(connection.alias, columns(model), values)
