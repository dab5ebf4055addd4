"""Whether what a mapping names is there."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from cdp.datasets.lineage import field_at
from cdp.errors import FieldError
from cdp.schemas.selectors import PROFILE_CLASS, union_fields
from cdp.tenancy.models import Sandbox
from profiles.selectors.rules import namespace_catalogue
from segments.models import Segment
from segments.payload import payload_fields

Entries = Sequence[Mapping[str, str]]


def mapping_errors(sandbox: Sandbox, segment: Segment, mapping: Entries) -> Iterator[FieldError]:
    """Yield what is wrong with a mapping of a segment's members, entry by entry."""
    yield from _targets(mapping)
    yield from _attributes(sandbox, mapping)
    yield from _identities(sandbox, mapping)
    yield from _segment_attributes(segment, mapping)


def _targets(mapping: Entries) -> Iterator[FieldError]:
    seen: set[str] = set()
    for place, entry in enumerate(mapping):
        if entry["target"] in seen:
            detail = f"'{entry['target']}' is used twice."
            yield FieldError(path=f"mapping.{place}.target", code="repeated", detail=detail)
        seen.add(entry["target"])


def _attributes(sandbox: Sandbox, mapping: Entries) -> Iterator[FieldError]:
    wanted = _named(mapping, "attribute")
    fields = union_fields(sandbox, PROFILE_CLASS) if wanted else {}
    for place, path in wanted.items():
        field = field_at(fields, path)
        where = f"mapping.{place}.attribute"
        if field is None:
            near = get_close_matches(path, fields, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            detail = f"No profile of this sandbox has the attribute '{path}'.{hint}"
            yield FieldError(path=where, code="unknown", detail=detail)
        elif not field.is_leaf or field.array or field.in_array:
            detail = f"'{path}' holds more than one value. Map a single value inside it."
            yield FieldError(path=where, code="not_single", detail=detail)


def _identities(sandbox: Sandbox, mapping: Entries) -> Iterator[FieldError]:
    wanted = _named(mapping, "identity")
    known = {each.code for each in namespace_catalogue(sandbox)} if wanted else set()
    for place, code in wanted.items():
        if code not in known:
            near = get_close_matches(code, known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            detail = f"There is no identity namespace '{code}' here.{hint}"
            yield FieldError(path=f"mapping.{place}.identity", code="unknown", detail=detail)


def _segment_attributes(segment: Segment, mapping: Entries) -> Iterator[FieldError]:
    wanted = _named(mapping, "segment_attribute")
    known = payload_fields(segment) if wanted else {}
    for place, name in wanted.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            detail = f"'{segment.name}' knows no '{name}' of its members.{hint}"
            path = f"mapping.{place}.segment_attribute"
            yield FieldError(path=path, code="unknown", detail=detail)


def _named(mapping: Entries, kind: str) -> dict[int, str]:
    return {place: entry[kind] for place, entry in enumerate(mapping) if kind in entry}
