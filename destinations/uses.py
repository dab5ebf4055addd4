"""Activations as uses of data, for governance to judge."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cdp.datasets.lineage import Carrier, Sources
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from destinations.mapping import read_mapping
from destinations.models import Activation
from destinations.selectors import list_activations
from governance.evaluation import Node, Part, Use, UsedField
from governance.services.decisions import require_standing_uses
from profiles.selectors.shown import choose_policy
from segments.explaining import RuleField, rule_fields
from segments.models import Segment
from segments.payload import payload_fields

Route = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the uses of a sandbox have in common, read once for all of them."""

    sources: Sources
    rules: Mapping[str, Sequence[RuleField]]
    default_policy: Node

    @classmethod
    def of(cls, sandbox: Sandbox, activations: Iterable[Activation]) -> "_Ground":
        default = choose_policy(sandbox, None)
        rules = rule_fields(sandbox, {activation.segment_id for activation in activations})
        looked_up = {field.entity for fields in rules.values() for field in fields if field.entity}
        return cls(
            Sources.of(sandbox, looked_up),
            rules,
            Node("merge_policy", default.id or "default", default.name),
        )

    def policy(self, segment: Segment) -> Node:
        """Return the merge policy under which a segment is found."""
        own = segment.merge_policy
        return Node("merge_policy", own.pk, own.name) if own else self.default_policy


def use_of(activation: Activation) -> Use:
    """Return what an activation does with data."""
    [use] = uses_of(activation.sandbox, [activation])
    return use


def uses_of(sandbox: Sandbox, activations: Sequence[Activation]) -> Iterator[Use]:
    """Yield what activations do with data."""
    if not activations:
        return
    ground = _Ground.of(sandbox, activations)
    for activation in activations:
        yield Use(
            Node("activation", activation.pk, activation.connection.name),
            frozenset(activation.connection.marketing_actions),
            (*_asked(activation, ground), *_sent(activation, ground)),
        )


def standing_uses(sandbox: Sandbox, changed: Node | None) -> Iterator[Use]:
    """Yield the live activations; with `changed`, those whose data takes its way through that."""
    rows = list_activations(sandbox).filter(enabled=True).order_by("pk")
    for use in uses_of(sandbox, list(rows)):
        if changed is None or _passes(use, changed):
            yield use


def check_segment(actor: Actor, segment: Segment) -> None:
    """Refuse a rule that a live activation may not be used with. Raises `UseRefused`."""
    require_standing_uses(
        sandbox=segment.sandbox,
        actor=actor,
        changed=Node("segment", segment.pk, segment.name),
        target=segment,
    )


def _passes(use: Use, changed: Node) -> bool:
    stations = {
        (node.type, node.id) for used in use.fields for route in used.routes for node in route
    }
    return (changed.type, changed.id) in stations


def _asked(activation: Activation, ground: _Ground) -> Iterator[UsedField]:
    """Yield the fields that the segment's rule looks at, also by way of other segments."""
    segment, end = activation.segment, _destination(activation)
    own = _segment(segment)
    for field in ground.rules[segment.pk]:
        way = (own, end) if field.segment.pk == segment.pk else (_segment(field.segment), own, end)
        if field.base == "segment":
            yield UsedField(field.path, field.labels, Part.RULE, (way,))
            continue
        tail = (ground.policy(segment), *way)
        carriers = _carriers(field, ground.sources)
        yield from _used(field.path, field.labels, Part.RULE, carriers, tail)


def _carriers(field: RuleField, sources: Sources) -> Iterator[Carrier]:
    match field.base:
        case "entity":
            return sources.of_entity(field.entity, field.path)
        case "event":
            return sources.of_event(field.path)
        case _:
            return sources.of_attribute(field.path)


def _sent(activation: Activation, ground: _Ground) -> Iterator[UsedField]:
    """Yield the fields that go along with each change."""
    tail = (ground.policy(activation.segment), _destination(activation))
    for entry in read_mapping(activation.mapping):
        if entry.attribute is not None:
            carriers = ground.sources.of_attribute(entry.attribute)
            yield from _used(entry.attribute, frozenset(), Part.MAPPING, carriers, tail)
        elif entry.identity is not None:
            for path, carrier in ground.sources.of_identity(entry.identity):
                yield from _used(path, frozenset(), Part.IDENTITY, [carrier], tail)
        elif entry.segment_attribute is not None:
            yield from _known(activation, entry.segment_attribute)


def _known(activation: Activation, name: str) -> Iterator[UsedField]:
    """Yield an attribute that the segment knows of its members, with the dataset that brings it."""
    field = payload_fields(activation.segment).get(name)
    if field is None:
        return
    way: Route = (_segment(activation.segment), _destination(activation))
    if (dataset := field.dataset) is not None:
        way = (Node("dataset", dataset.pk, dataset.name, frozenset(dataset.labels)), *way)
    yield UsedField(name, field.labels, Part.MAPPING, (way,))


def _used(
    path: str, labels: frozenset[str], part: Part, carriers: Iterable[Carrier], tail: Route
) -> Iterator[UsedField]:
    """Yield a field once for each dataset that brings it, or by itself if none does yet."""
    found = [
        UsedField(path, carrier.labels, part, ((carrier.dataset, *tail),)) for carrier in carriers
    ]
    yield from found or [UsedField(path, labels, part, (tail,))]


def _segment(segment: Segment) -> Node:
    return Node("segment", segment.pk, segment.name, frozenset(segment.labels))


def _destination(activation: Activation) -> Node:
    return Node("destination", activation.connection_id, activation.connection.name)
