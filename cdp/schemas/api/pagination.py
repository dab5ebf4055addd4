"""Pages of a list in memory: the catalogue's files before the sandbox's rows, or fields."""

from typing import Any, ClassVar

from rest_framework.request import Request

from cdp.api.pagination import CursorPagination, read_limit
from cdp.errors import Invalid, Malformed


class ListPagination(CursorPagination):
    """Pages over a short list that keeps its own order; `key` names what is unique in it."""

    key: ClassVar[str] = "id"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        if "ordering" in request.query_params:
            raise Invalid("This list has one order; leave `ordering` out.")
        self._request, self._order = request, (self.key,)
        limit, cursor = read_limit(request), self._cursor()
        start, end = 0, limit
        if cursor is not None:
            keys = [getattr(entry, self.key) for entry in queryset]
            if cursor.values[0] not in keys:
                raise Malformed("What the cursor stands at is gone. Start again without it.")
            place = keys.index(cursor.values[0])
            start = max(0, place - limit) if cursor.backwards else place + 1
            end = place if cursor.backwards else start + limit
        self._page = list(queryset[start:end])
        self._has_next, self._has_previous = end < len(queryset), start > 0
        return self._page


class FieldPagination(ListPagination):
    """Pages over the fields of a schema, in the schema's order."""

    key = "path"
