"""Names for what a rule asks of the event store instead of another segment.

No segment has such an id, so no rule that people write can ask for one.
"""

from dataclasses import dataclass
from typing import Final

PARTS: Final = 10_000
"""A share is counted in hundredths of a percent."""


@dataclass(frozen=True, slots=True)
class Share:
    """The people whose place, which follows from a seed and their id, lies in a stretch."""

    seed: str
    start: int
    end: int


def share_name(share: Share) -> str:
    """Return the name of a share.

    >>> share_name(Share("cmp_1", 0, 5_000))
    'cmp_1#share:0-5000'
    """
    return f"{share.seed}#share:{share.start}-{share.end}"


def ranked_name(composition: str) -> str:
    """Return the name of those whom a composition's rank leaves."""
    return f"{composition}#ranked"


def base_name(composition: str) -> str:
    """Return the name of those whom a composition ranks."""
    return f"{composition}#base"


def is_of_the_store(name: str) -> bool:
    """Return whether a name is one of these and no segment's id."""
    return "#" in name


def read_share(name: str) -> Share | None:
    """Return the share that a name stands for, if it does.

    >>> read_share("cmp_1#share:0-5000")
    Share(seed='cmp_1', start=0, end=5000)
    """
    seed, found, stretch = name.partition("#share:")
    if not found:
        return None
    start, _, end = stretch.partition("-")
    return Share(seed, int(start), int(end))


def read_ranked(name: str) -> str | None:
    """Return the composition whose ranked people a name stands for, if it does."""
    composition, found, rest = name.partition("#ranked")
    return composition if found and not rest else None
