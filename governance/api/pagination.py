"""Pages of a catalogue: what is given with the platform and what the sandbox added, in one list."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework.request import Request

from cdp.api.pagination import Cursor, CursorPagination, read_limit
from cdp.errors import Malformed


class CataloguePagination(CursorPagination):
    """Pages over a list in memory, which is short and has no order but its own."""

    key: ClassVar[str] = "name"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
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


class PolicyPagination(CataloguePagination):
    """Pages over policies, whose names may change."""

    key = "policy_id"
