"""From a row of an uploaded file to the identities that it names and what it says beside."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cdp.datasets.files.rows import FileUnreadable, Row
from cdp.datasets.mapping.convert import converted
from cdp.datasets.mapping.errors import RowInvalid
from cdp.errors import FieldError
from cdp.schemas.registry.fields import Field
from profiles.identity.namespaces import Namespace, NamespaceCatalogue
from profiles.identity.values import IdentityRefused, normalise

TYPES: Final[Mapping[str, tuple[str, str | None]]] = {
    "string": ("string", None),
    "number": ("number", None),
    "integer": ("integer", None),
    "boolean": ("boolean", None),
    "date": ("string", "date"),
    "date-time": ("string", "date-time"),
}
"""How a column's values are kept: the type and the format of a schema's field."""


class ByColumns:
    """Takes identities and attributes from the columns that an upload names.

    A row without a single identity is bad; of an attribute, an empty text is nothing.
    Raises `FileUnreadable` if a file lacks a column.
    """

    def __init__(
        self,
        identities: Sequence[Mapping[str, str]],
        attributes: Sequence[Mapping[str, Any]],
        namespaces: NamespaceCatalogue,
    ) -> None:
        self._identities = [
            (each["column"], found)
            for each in identities
            if (found := namespaces.find(each["namespace"])) is not None
        ]
        self._attributes = [
            (each["column"], each["name"], _field(each["name"], each["type"]))
            for each in attributes
        ]
        self._columns = {each["column"] for each in (*identities, *attributes)}

    def __call__(self, row: Row) -> tuple[dict[str, Any], list[FieldError]]:
        if missing := self._columns - row.keys():
            listed = ", ".join(f"'{column}'" for column in sorted(missing))
            raise FileUnreadable("column_missing", f"The file has no column {listed}.")
        errors: list[FieldError] = []
        named = [
            (namespace.code, value)
            for column, namespace in self._identities
            if row[column] not in (None, "")
            and (value := _identity(namespace, column, row[column], errors)) is not None
        ]
        attributes = {
            name: value
            for column, name, field in self._attributes
            if row[column] not in (None, "")
            and (value := _attribute(field, column, row[column], errors)) is not None
        }
        if not named and not errors:
            columns = ", ".join(f"'{column}'" for column, _ in self._identities)
            detail = f"The row names nobody: {columns} is empty."
            errors.append(FieldError(path="", code="identity_missing", detail=detail))
        return {"identities": named, "attributes": attributes}, errors


def _identity(
    namespace: Namespace, column: str, value: Any, errors: list[FieldError]
) -> str | None:
    if _holds_nul(column, value, errors):
        return None
    try:
        return normalise(namespace, value if isinstance(value, str) else str(value))
    except IdentityRefused as refused:
        errors.append(FieldError(path=column, code=refused.code, detail=refused.detail))
        return None


def _attribute(field: Field, column: str, value: Any, errors: list[FieldError]) -> Any:
    if _holds_nul(column, value, errors):
        return None
    try:
        return converted(value, field)
    except RowInvalid as error:
        errors.append(FieldError(path=column, code="wrong_type", detail=str(error)))
        return None


def _holds_nul(column: str, value: Any, errors: list[FieldError]) -> bool:
    """Tell whether a text holds what the database takes in none."""
    found = isinstance(value, str) and "\x00" in value
    if found:
        detail = "The text contains a NUL character, which cannot be stored."
        errors.append(FieldError(path=column, code="nul_character", detail=detail))
    return found


def _field(name: str, kind: str) -> Field:
    type_, format_ = TYPES[kind]
    return Field(path=name, type=type_, format=format_)
