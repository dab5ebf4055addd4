"""What somebody probably meant by a mistyped path."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from functools import lru_cache

MAX_LENGTH = 200
REMEMBERED = 1000


def closest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that is most like this one, if any is alike.

    >>> closest("productListRemoval", ["productListRemovals", "productListViews"])
    'productListRemovals'
    """
    if len(name) > MAX_LENGTH:
        return None
    by_lower = {candidate.lower(): candidate for candidate in known}
    exact = by_lower.get(name.lower())
    if exact is not None:
        return exact
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.75)
    return by_lower[found[0]] if found else None


def closest_path(path: str, known: Collection[str]) -> str | None:
    """Find the known path that was probably meant.

    First the mistake is looked for in one step of the path, with all other steps
    right; then by the last name alone, as when somebody forgot the objects around it.

    >>> closest_path("comerce.order.priceTotal", {"commerce", "commerce.order.priceTotal"})
    'commerce.order.priceTotal'
    >>> closest_path("priceTotal", {"commerce.order.priceTotal"})
    'commerce.order.priceTotal'
    """
    whole = closest(path, known)
    if whole is not None:
        return whole
    last = path.rpartition(".")[2].lower()
    same_name = sorted((p for p in known if p.rpartition(".")[2].lower() == last), key=len)
    return same_name[0] if same_name else None


def hint(name: str, known: Collection[str]) -> str:
    """Write the question that ends a message about an unknown path, or nothing."""
    meant = closest_path(name, known)
    return f" Did you mean '{meant}'?" if meant else ""


class Hints:
    """The hints of one schema: the same mistake comes in many records, and is looked up once."""

    def __init__(self, known: Collection[str]) -> None:
        self.known = known
        self._siblings: dict[str, list[str]] = {}
        for path in known:
            parent, _, name = path.rpartition(".")
            self._siblings.setdefault(parent, []).append(name)
        self.meant_among_siblings = lru_cache(REMEMBERED)(self._sibling)
        self.for_path = lru_cache(REMEMBERED)(self._path)

    def _sibling(self, parent: str, name: str) -> str | None:
        """Find the neighbour of an unknown name that was probably meant."""
        return closest(name, self._siblings.get(parent, ()))

    def _path(self, path: str) -> str:
        """Write the question that ends a message about an unknown path, or nothing."""
        return hint(path, self.known)
