"""What is built on a segment: asked before it is taken away.

The apps above know what they built; each registers a question in its `apps.py`.
"""

from collections.abc import Callable, Iterator

from segments import selectors
from segments.models import Segment

Ask = Callable[[Segment], list[dict[str, str]]]
"""Returns what is built on the segment, each with `type`, `id` and `name`."""

_asked: dict[str, Ask] = {}


def register(name: str, ask: Ask) -> None:
    """Add one app's question. Raises `ValueError` if the name is taken."""
    if name in _asked:
        raise ValueError(f"{name} has registered already")
    _asked[name] = ask


def dependents(segment: Segment) -> list[dict[str, str]]:
    """Return everything that is built on the segment."""
    return list(_dependents(segment))


def _dependents(segment: Segment) -> Iterator[dict[str, str]]:
    composed: dict[str, str] = {}
    for other in selectors.list_dependents(segment):
        if other.composition is not None:
            composed[other.composition.pk] = other.composition.name
        else:
            yield {"type": "segment", "id": other.pk, "name": other.name}
    for key, name in composed.items():
        yield {"type": "composition", "id": key, "name": name}
    for schedule in selectors.list_schedules_of(segment):
        yield {"type": "segment_schedule", "id": schedule.pk, "name": schedule.name}
    for ask in _asked.values():
        yield from ask(segment)
