"""Lists of what is held in memory: what comes with the platform, and what was added to it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework.request import Request

from cdp.api.pagination import Cursor, CursorPagination, read_limit
from cdp.errors import Invalid, Malformed


class CataloguePagination(CursorPagination):
    """Pages over a list in its own order; `key` is an attribute that each entry has for itself."""

    key: ClassVar[str] = "name"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        if "ordering" in request.query_params:
            raise Invalid("This list has one order; leave `ordering` out.")
        self._request, self._order = request, (self.key,)
        limit, cursor = read_limit(request), self._cursor()
        start, end = 0, limit
        if cursor is not None:
            place = self._place(queryset, cursor)
            start = max(0, place - limit) if cursor.backwards else place + 1
            end = place if cursor.backwards else start + limit
        self._page = list(queryset[start:end])
        self._has_next, self._has_previous = end < len(queryset), start > 0
        return self._page

    def _place(self, entries: Sequence[Any], cursor: Cursor) -> int:
        for place, entry in enumerate(entries):
            if getattr(entry, self.key) == cursor.values[0]:
                return place
        raise Malformed("What the cursor stands at is gone. Start again without it.")
