"""What profiles asks of the apps above it; each app registers in its `apps.py`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdp.api.registries import Registry
from cdp.tenancy.models import Sandbox
from profiles.identity.rules import Identity

# (sandbox, merge policy id) -> what uses it, each as {"type", "id", "name"}
merge_policy_dependents: Registry[Callable[[Sandbox, str], list[dict[str, Any]]]] = Registry(
    "merge policy user"
)
# (sandbox, name of a computed attribute) -> what uses it, each as {"type", "id", "name"}
computed_attribute_dependents: Registry[Callable[[Sandbox, str], list[dict[str, Any]]]] = Registry(
    "computed attribute user"
)
# (sandbox, profile numbers, identities) -> what an app holds on them: (name, rows) pairs
personal_data: Registry[
    Callable[[Sandbox, list[int], list[Identity]], Iterable[tuple[str, Iterable[dict[str, Any]]]]]
] = Registry("source of personal data")


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """What a segment is called, and the fields with their labels that decide who is in it."""

    name: str
    fields: Sequence[tuple[str, frozenset[str]]]


# (sandbox, segment ids) -> those that there are
segment_facts: Registry[Callable[[Sandbox, Sequence[str]], Mapping[str, SegmentFacts]]] = Registry(
    "source of segments"
)
