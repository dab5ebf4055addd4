"""Lists in pages that stay in place while rows come and go.

A cursor holds the sort values of the row at the page's edge, so the next page starts
behind that row whatever was added before it, at the cost of an index look-up.
Nothing is ever counted.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

import orjson
from cryptography.fernet import InvalidToken
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from cdp.errors import FieldError, Invalid, Malformed
from cdp.tenancy.models import Organization
from cdp.tenancy.secrets import decrypt, encrypt

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 500
_DIGITS: Final = 9  # with more Python may refuse to read a number at all
PARAMETERS: Final = frozenset({"limit", "cursor", "ordering"})


@dataclass(frozen=True, slots=True)
class Cursor:
    """The edge of a page: its order, the row's values in that order, and which way to go on."""

    order: tuple[str, ...]
    values: tuple[Any, ...]
    backwards: bool = False

    def text(self) -> str:
        """Return the cursor as it stands in a URL."""
        raw = orjson.dumps([list(self.order), list(self.values), self.backwards], default=str)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def sealed(self, organization: Organization) -> str:
        """Return it so that nobody reads its values or makes it up: they may be hidden ones."""
        return encrypt(organization, {"cursor": self.text()}).decode()

    @classmethod
    def unsealed(cls, text: str, organization: Organization) -> "Cursor":
        """Return the cursor that `sealed` has made. Raises `Malformed`."""
        try:
            return cls.read(decrypt(organization, text.encode())["cursor"])
        except InvalidToken as error:
            raise _broken_cursor() from error

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Return the cursor of a URL. Raises `Malformed`."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            order, values, backwards = orjson.loads(raw)
            cursor = cls(tuple(order), tuple(values), bool(backwards))
        except (binascii.Error, ValueError, TypeError) as error:
            raise _broken_cursor() from error
        if not all(isinstance(value, str | int | float) for value in values) or b"\\u0000" in raw:
            raise _broken_cursor()
        return cursor


class CursorPagination(BasePagination):
    """Pages by key; a view names its default order (`ordering`) and the others it allows.

    `ordering_fields` are columns that are never null; the primary key always comes last.
    """

    def paginate_queryset(
        self,
        queryset: QuerySet[Any],  # type: ignore[override]  # a key needs columns
        request: Request,
        view: Any = None,
    ) -> list[Any]:
        self._request = request
        self._order = _order(request, view, queryset.model)
        limit = read_limit(request)
        cursor = self._cursor()
        backwards = cursor is not None and cursor.backwards
        rows = queryset.order_by(*(_reversed(self._order) if backwards else self._order))
        if cursor is not None:
            rows = rows.filter(_behind(queryset.model, cursor))
        page = list(rows[: limit + 1])
        has_more, page = len(page) > limit, page[:limit]
        if backwards:
            page.reverse()
        # Whoever comes from one side can go back to it.
        self._has_next = has_more if not backwards else True
        self._has_previous = has_more if backwards else cursor is not None
        self._page = page
        return page

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "results": data,
                "next": self._link(-1, backwards=False) if self._has_next else None,
                "previous": self._link(0, backwards=True) if self._has_previous else None,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": schema,
                "next": {**link, "description": "The next page, or null on the last."},
                "previous": {**link, "description": "The page before, or null on the first."},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        allowed = getattr(view, "ordering_fields", ())  # any view may be documented
        parameters: list[dict[str, Any]] = [
            _parameter("limit", "How many results a page holds at most.", limit),
            _parameter("cursor", "Where the page starts; take it from `next`.", {"type": "string"}),
        ]
        if allowed:
            choices = [name for field in allowed for name in (field, f"-{field}")]
            parameters.append(
                _parameter("ordering", "Sort by this field.", {"type": "string", "enum": choices})
            )
        return parameters

    def _cursor(self) -> Cursor | None:
        text = self._request.query_params.get("cursor")
        if not text:
            return None
        cursor = Cursor.read(text)
        if cursor.order != self._order or len(cursor.values) != len(self._order):
            raise Malformed(
                "The cursor was made for another ordering. Start again without it.",
                code="cursor_of_another_ordering",
            )
        return cursor

    def _link(self, edge: int, *, backwards: bool) -> str | None:
        if not self._page:
            return None
        values = tuple(getattr(self._page[edge], name.lstrip("-")) for name in self._order)
        cursor = Cursor(self._order, values, backwards)
        url: str = replace_query_param(self._request.build_absolute_uri(), "cursor", cursor.text())
        return url


def _order(request: Request, view: Any, model: type[Model]) -> tuple[str, ...]:
    default: str = view.ordering
    allowed: tuple[str, ...] = view.ordering_fields
    wanted = request.query_params.get("ordering", default)
    if wanted != default and wanted.removeprefix("-") not in allowed:
        choices = ", ".join(allowed) or "none; this list has one order"
        raise Invalid(
            f"This list cannot be sorted by '{wanted}'. Possible: {choices}.",
            errors=[FieldError(path="ordering", code="unknown", detail=f"'{wanted}' is unknown.")],
        )
    key = model._meta.pk.attname
    first = wanted.replace("pk", key) if wanted.lstrip("-") == "pk" else wanted
    if first.lstrip("-") == key:
        return (first,)
    return first, f"-{key}" if first.startswith("-") else key


def _reversed(order: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)


def _behind(model: type[Model], cursor: Cursor) -> Q:
    """Return the rows that come after the cursor, in its direction."""
    order = _reversed(cursor.order) if cursor.backwards else cursor.order
    behind, equal = Q(), Q()
    for name, raw in zip(order, cursor.values, strict=True):
        column = name.lstrip("-")
        try:
            value = _column(model, column).to_python(raw)
        except (ValidationError, TypeError, ValueError) as error:
            raise _broken_cursor() from error
        side = "lt" if name.startswith("-") else "gt"
        behind |= equal & Q(**{f"{column}__{side}": value})
        equal &= Q(**{column: value})
    return behind


def _column(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)


def read_limit(request: Request) -> int:
    """Return how many results the caller wants on a page. Raises `Invalid`."""
    text = request.query_params.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not text.isdecimal() or len(text) > _DIGITS or not 1 <= int(text) <= MAX_LIMIT:
        detail = f"limit is a number from 1 to {MAX_LIMIT}."
        raise Invalid(detail, errors=[FieldError(path="limit", code="invalid", detail=detail)])
    return int(text)


def _broken_cursor() -> Malformed:
    return Malformed("The cursor is broken. Take it whole from `next`.", code="broken_cursor")


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }
