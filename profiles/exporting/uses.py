"""An export as a use of data, for governance to judge."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cdp.datasets.lineage import Carrier, Sources
from cdp.errors import FieldError, Invalid
from cdp.schemas.selectors import EVENT_CLASS, PROFILE_CLASS, union_fields
from cdp.tenancy.models import Sandbox
from governance.evaluation import Node, Part, Use, UsedField
from profiles.enums import ExportPart
from profiles.exporting.columns import Column, columns_of
from profiles.models import ProfileExport
from profiles.registries import SegmentFacts, segment_facts
from profiles.selectors.shown import choose_policy
from profiles.selectors.sight import Sight

Route = tuple[Node, ...]


def seen_columns(sandbox: Sandbox, fields: Sequence[str], sight: Sight) -> list[Column]:
    """Return the attributes of an export that its maker may see."""
    union = union_fields(sandbox, PROFILE_CLASS)
    return [one for one in columns_of(union, fields) if sight.sees_attribute(one.path)]


def use_of(export: ProfileExport, sight: Sight) -> Use:
    """Return what an export does with data. Raises `Invalid` for an unknown segment."""
    sandbox = export.sandbox
    sources = Sources.of(sandbox)
    policy = choose_policy(sandbox, export.merge_policy_id or None)
    end = Node("profile_export", export.pk, str(export))
    tail = (Node("merge_policy", policy.id or "default", policy.name), end)
    fields = [
        *_asked(_facts(sandbox, export.segments), tail),
        *_sent(export, sources, sight, tail),
    ]
    return Use(end, frozenset(export.marketing_actions), tuple(fields))


def labels_of(use: Use) -> list[str]:
    """Return the labels of all that goes out; what only a rule looked at does not."""
    sent = (used.labels for used in use.fields if used.part is not Part.RULE)
    return sorted(frozenset[str]().union(*sent))


def _facts(sandbox: Sandbox, segments: Sequence[str]) -> Mapping[str, SegmentFacts]:
    facts: dict[str, SegmentFacts] = {}
    if segments:
        for answer in segment_facts.entries().values():
            facts |= answer(sandbox, segments)
    errors = [
        FieldError(path=f"segments.{place}", code="unknown", detail=f"There is no segment '{key}'.")
        for place, key in enumerate(segments)
        if key not in facts
    ]
    if errors:
        raise Invalid("Some segments are unknown; see `errors`.", errors=errors)
    return facts


def _asked(facts: Mapping[str, SegmentFacts], tail: Route) -> Iterator[UsedField]:
    for key, known in facts.items():
        way = (tail[0], Node("segment", key, known.name), *tail[1:])
        for path, labels in known.fields:
            yield UsedField(path, labels, Part.RULE, (way,))


def _sent(
    export: ProfileExport, sources: Sources, sight: Sight, tail: Route
) -> Iterator[UsedField]:
    if ExportPart.ATTRIBUTES in export.parts:
        columns = seen_columns(export.sandbox, export.fields, sight)
        yield from _of_class(sources, PROFILE_CLASS, tail, [one.path for one in columns])
    if ExportPart.EVENTS in export.parts:
        found = sources.every_field(EVENT_CLASS)
        yield from (
            _used(field.path, Part.MAPPING, carrier, tail)
            for field, carrier in found
            if sight.sees_event_field(field.path)
        )
    if ExportPart.IDENTITIES in export.parts:
        for class_uri in (PROFILE_CLASS, EVENT_CLASS):
            for field, carrier in sources.every_field(class_uri):
                if field.namespace and field.namespace not in sight.namespaces:
                    yield _used(field.path, Part.IDENTITY, carrier, tail)


def _of_class(
    sources: Sources, class_uri: str, tail: Route, paths: Iterable[str]
) -> Iterator[UsedField]:
    """Yield what stands at or below these paths; what is in a list goes out with it."""
    roots = frozenset(paths)
    for field, carrier in sources.every_field(class_uri):
        parts = field.path.split(".")
        if any(".".join(parts[:end]) in roots for end in range(1, len(parts) + 1)):
            yield _used(field.path, Part.MAPPING, carrier, tail)


def _used(path: str, part: Part, carrier: Carrier, tail: Route) -> UsedField:
    return UsedField(path, carrier.labels, part, ((carrier.dataset, *tail),))
