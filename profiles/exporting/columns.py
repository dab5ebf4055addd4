"""Which attributes an export holds, and of which kind each is. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cdp.schemas.registry.fields import Field
from profiles.identity.fragment import APART

_PLAIN: Final = frozenset({"string", "number", "integer", "boolean"})


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute; what is no plain value is written as JSON."""

    path: str
    kind: str

    def value(self, document: Mapping[str, Any]) -> Any:
        """Return what a document has at the path.

        >>> Column("a.b", "string").value({"a": {"b": "c"}})
        'c'
        """
        value: Any = document
        for name in self.path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value


def columns_of(fields: Mapping[str, Field], chosen: Sequence[str]) -> list[Column]:
    """Return the columns of the chosen fields, or of all: those that hold values, in order.

    >>> columns_of({"a": Field("a", "object"), "a.b": Field("a.b", "string")}, [])
    [Column(path='a.b', kind='string')]
    """
    return [
        Column(field.path, "json" if field.array or field.type not in _PLAIN else field.type)
        for field in fields.values()
        if _is_column(field) and (not chosen or _is_chosen(field.path, chosen))
    ]


def _is_column(field: Field) -> bool:
    """Tell whether a field is a value by itself: what stands in a list or a map is part of that."""
    holds = field.is_leaf or field.array or field.type == "map"
    return holds and not field.in_array and "*" not in field.path and not _is_apart(field.path)


def _is_apart(path: str) -> bool:
    return path.partition(".")[0] in APART


def _is_chosen(path: str, chosen: Iterable[str]) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in chosen)
