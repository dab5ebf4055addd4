"""Pages of stored rows, which are no table of Django's."""

from rest_framework.request import Request

from cdp.api.pagination import Cursor
from cdp.datasets.stored import Edge
from cdp.errors import Malformed

_ORDER = ("key", "timestamp")


def read_edge(text: str | None) -> Edge | None:
    """Return where a page starts; None without a cursor. Raises `Malformed`."""
    if text is None:
        return None
    cursor = Cursor.read(text)
    match cursor.values:
        case (str(key), int(milliseconds)) if cursor.order == _ORDER:
            return key, milliseconds
    raise Malformed("The cursor was made for another list. Start again without it.")


def next_link(request: Request, edge: Edge) -> str:
    """Return the address of the page behind this one."""
    query = request.query_params.copy()
    query["cursor"] = Cursor(_ORDER, edge).text()
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
