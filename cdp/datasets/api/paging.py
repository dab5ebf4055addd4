"""Pages of stored rows, which are no table of Django's.

Their cursors are sealed: a record's key may be the value of an identity that is hidden.
"""

from rest_framework.request import Request

from cdp.api.pagination import Cursor
from cdp.datasets.stored import Edge
from cdp.errors import Malformed
from cdp.tenancy.models import Organization

_ORDER = ("key", "timestamp")


def read_edge(text: str | None, organization: Organization) -> Edge | None:
    """Return where a page starts; None without a cursor. Raises `Malformed`."""
    if text is None:
        return None
    cursor = Cursor.unsealed(text, organization)
    match cursor.values:
        case (str(key), int(milliseconds)) if cursor.order == _ORDER:
            return key, milliseconds
    raise Malformed("The cursor was made for another list. Start again without it.")


def next_link(request: Request, edge: Edge, organization: Organization) -> str:
    """Return the address of the page behind this one."""
    query = request.query_params.copy()
    query["cursor"] = Cursor(_ORDER, edge).sealed(organization)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
