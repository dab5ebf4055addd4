"""What segments hold on persons: to show it to them, and to erase it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cdp.tenancy.models import Sandbox
from cdp.tenancy.sandboxes import ErasedPerson
from profiles.identity.rules import Identity
from profiles.ids import profile_key
from profiles.models import Profile
from profiles.registries import SegmentFacts
from segments.evaluation.gone import left_for_good
from segments.explaining import rule_fields
from segments.models import Recheck
from segments.payload import rows_on
from segments.selectors import list_segments
from segments.services.sandboxes import erase_people


def personal_data(
    sandbox: Sandbox, profiles: list[int], identities: list[Identity]
) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    """Yield in which segments these people are or were, and what was uploaded of them."""
    yield "memberships", _memberships(sandbox, profiles)
    yield from rows_on(sandbox, profiles, identities)


def erase_person(sandbox: Sandbox, person: ErasedPerson) -> Mapping[str, int]:
    """Forget what was uploaded of a person, and count the segments that she is about to leave.

    That she does follows from the news of her end (`evaluation/few.py`): whoever was told
    that she entered hears that she left.
    """
    rechecks = Recheck.objects.for_sandbox(sandbox).filter(profile_id__in=person.profiles)
    return {
        "memberships": len(left_for_good(sandbox, person.profiles)),
        "rechecks": rechecks.delete()[0],
        **erase_people(sandbox, person.identities),
    }


def _memberships(sandbox: Sandbox, profiles: Sequence[int]) -> Iterator[dict[str, Any]]:
    names = dict(list_segments(sandbox).values_list("pk", "name"))
    rows = Profile.objects.for_sandbox(sandbox).filter(pk__in=profiles)
    for number, held in rows.values_list("pk", "segments"):
        for segment, state in held.items():
            yield {
                "profile_id": profile_key(number),
                "segment": segment,
                "name": names.get(segment, ""),
                **state,
            }


def segment_facts(sandbox: Sandbox, segments: Sequence[str]) -> dict[str, SegmentFacts]:
    """Return what these segments are called, and which fields decide who is in them."""
    fields = rule_fields(sandbox, segments)
    names = dict(list_segments(sandbox).filter(pk__in=segments).values_list("pk", "name"))
    return {
        key: SegmentFacts(name, [(field.path, field.labels) for field in fields[key]])
        for key, name in names.items()
    }
