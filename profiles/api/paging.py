"""Pages of what is no table of Django's: events and search results."""

from rest_framework.request import Request

from cdp.api.pagination import Cursor
from cdp.errors import Malformed
from profiles.selectors.timeline import Event, Place

EVENT = "event"
SEARCH_ORDER = ("term", "profile")


def read_edge(text: str | None, order: tuple[str, ...]) -> tuple[str, int] | None:
    """Return the text and the number that a cursor of this order holds; None without a cursor.

    Raises `Malformed` if it was made for another list.
    """
    if text is None:
        return None
    cursor = Cursor.read(text)
    match cursor.values:
        case (str(word), int(number)) if cursor.order == order:
            return word, number
    raise Malformed(
        "The cursor was made for another list. Start again without it.",
        code="cursor_of_another_ordering",
    )


def next_link(request: Request, order: tuple[str, ...], word: str, number: int) -> str:
    """Return the address of the page behind this edge."""
    query = request.query_params.copy()
    query["cursor"] = Cursor(order, (word, number)).text()
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def event_edge(edge: tuple[str, int] | None) -> Place | None:
    """Return the place of the event at a page's edge."""
    if edge is None:
        return None
    dataset, _, event_id = edge[0].partition(" ")
    return edge[1], event_id, dataset


def event_word(event: Event) -> str:
    """Return what `event_edge` reads; the id of a dataset holds no space."""
    return f"{event.dataset_id} {event.event_id}"
