"""Why two identities are one person: the shortest chain of links between them."""

from collections import defaultdict, deque
from collections.abc import Iterable

from profiles.identity.graph import Link


def chain(links: Iterable[Link], start: int, end: int) -> list[Link] | None:
    """Return the links that lead from one identity to another, or None if none do.

    Of chains of equal length the one with the newer links is given first: it is
    the one that would hold longest.

    >>> chain([Link(1, 2, 5), Link(2, 3, 6)], 1, 3)
    [Link(a=1, b=2, seen=5), Link(a=2, b=3, seen=6)]
    """
    around: dict[int, list[Link]] = defaultdict(list)
    for link in sorted(links, key=lambda link: (-link.seen, link.a, link.b)):
        around[link.a].append(link)
        around[link.b].append(link)
    came_by: dict[int, Link | None] = {start: None}
    waiting = deque([start])
    while waiting and end not in came_by:
        here = waiting.popleft()
        for link in around[here]:
            there = link.b if link.a == here else link.a
            if there not in came_by:
                came_by[there] = link
                waiting.append(there)
    if end not in came_by:
        return None
    found: list[Link] = []
    here = end
    while (link := came_by[here]) is not None:  # type: ignore[assignment]
        found.append(link)
        here = link.a if link.b == here else link.b
    return found[::-1]
