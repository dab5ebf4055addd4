"""Standing uses of data, asked again when something under them changes.

Governance cannot know the apps above it, so each registers a finder in its `apps.py`.
"""

from collections.abc import Callable, Iterable, Iterator

from cdp.tenancy.models import Sandbox
from governance.evaluation import Node, Use

Finder = Callable[[Sandbox, Node | None], Iterable[Use]]
"""Takes a sandbox and the changed thing (None: any); yields the live uses that it can touch."""

_finders: dict[str, Finder] = {}


def register(name: str, finder: Finder) -> None:
    """Add one app's finder. Raises `ValueError` if the name is taken."""
    if name in _finders:
        raise ValueError(f"{name} has registered already")
    _finders[name] = finder


def standing_uses(sandbox: Sandbox, changed: Node | None = None) -> Iterator[Use]:
    """Yield the live uses of data in a sandbox; with `changed`, those it can touch."""
    for finder in _finders.values():
        yield from finder(sandbox, changed)
