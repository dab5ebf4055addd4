"""The life of a segment: draft, published, inactive, deleted. Never back to draft."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from cdp.errors import FieldError, Invalid
from cdp.queue import publish
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox
from governance.selectors import require_labels
from profiles.selectors.rules import get_merge_policy
from segments import selectors
from segments.compositions.names import is_of_the_store
from segments.dependents import dependents
from segments.enums import SegmentOrigin, SegmentState
from segments.errors import SegmentInUse, WrongState
from segments.language.ast import Condition
from segments.language.tree import write_tree
from segments.models import Segment, SegmentVersion, UploadPart
from segments.rules import accept, paths, references
from segments.seeing import require_seen
from segments.services.evaluations import request_evaluation
from segments.services.holding import hold_references
from segments.services.look_ups import note_look_ups
from segments.topics import SEGMENT_DELETED, UPLOAD_ROWS_OVER
from segments.vocabulary import vocabulary

MOST_ON_EDGE: Final = 100
_RULED: Final = {"rule", "text", "merge_policy_id"}
_COMPOSED: Final = {*_RULED, "name"}

UseCheck = Callable[[Actor, Segment], None]
_use_checks: list[UseCheck] = []


def check_uses_with(check: UseCheck) -> None:
    """Have a changed rule asked about: `check` raises if the segment may no longer be used so."""
    _use_checks.append(check)


def check_uses(actor: Actor, segment: Segment) -> None:
    """Ask whether the segment may still be used as it is. Raises what a check raises."""
    for check in _use_checks:
        check(actor, segment)


def create_segment(
    *, actor: Actor, sandbox: Sandbox, rule: Any = None, text: str | None = None, **values: Any
) -> Segment:
    """Make a draft of a rule, given as a tree or as text.

    Raises `RuleRefused`, `FieldHidden`, `Invalid` or `NameTaken`.
    """
    segment = Segment(sandbox=sandbox, **values)
    words = vocabulary(sandbox)
    accepted = accept(words, rule=rule, text=text)
    require_seen(sandbox, actor, accepted, words)
    take_rule(segment, accepted)
    save_segment(segment, force_insert=True)
    note_look_ups(segment)
    note_version(actor, segment)
    audit.record(
        actor=actor,
        action="segment.created",
        target=segment,
        after={**values, "rule": segment.rule},
    )
    return segment


def change_segment(*, actor: Actor, segment: Segment, **changes: Any) -> Segment:
    """Change a segment; a published one is evaluated anew when its rule changes.

    Raises as `create_segment`, `WrongState` for what its rows or its composition decide,
    and what a use check raises: an activation of the segment may forbid what the new
    rule looks at.
    """
    given = {key: changes.pop(key) for key in ("rule", "text") if key in changes}
    _refuse_foreign_changes(segment, {*given, *changes})
    before = {field: getattr(segment, field) for field in changes}
    for field, value in changes.items():
        setattr(segment, field, value)
    is_new = False
    if given:
        old, version = segment.rule, segment.version
        words = vocabulary(segment.sandbox)
        accepted = accept(words, **given)
        require_seen(segment.sandbox, actor, accepted, words)
        take_rule(segment, accepted)
        is_new = segment.rule != old
    if is_new:
        if segment.state == SegmentState.PUBLISHED:
            refuse_unpublished_parents(segment.sandbox, segment.references)
        segment.version = version + 1
        before["rule"], changes["rule"] = old, segment.rule
    save_segment(segment)
    if is_new:
        note_look_ups(segment)
        note_version(actor, segment)
    check_uses(actor, segment)
    audit.record(
        actor=actor, action="segment.changed", target=segment, before=before, after=changes
    )
    if is_new and segment.state == SegmentState.PUBLISHED:
        request_evaluation(actor=actor, sandbox=segment.sandbox, segments=[segment.pk])
    return segment


def publish_segment(*, actor: Actor, segment: Segment) -> Segment:
    """Have the segment evaluated from now on, for everybody and whenever something happens.

    Raises `WrongState` if a segment it asks for is not published, or if it names a
    merge policy other than the default one, whose snapshots alone are kept.
    """
    _refuse_composed(segment)
    if segment.state == SegmentState.PUBLISHED:
        return segment
    if segment.merge_policy and not segment.merge_policy.is_default:
        raise WrongState(
            f"Members are found under the default merge policy; '{segment.merge_policy}' is not it."
        )
    refuse_unpublished_parents(segment.sandbox, segment.references)
    move_segment(actor, segment, SegmentState.PUBLISHED)
    request_evaluation(actor=actor, sandbox=segment.sandbox, segments=[segment.pk])
    return segment


def deactivate_segment(*, actor: Actor, segment: Segment) -> Segment:
    """Freeze a published segment's members. Raises `SegmentInUse` or `WrongState`."""
    _refuse_composed(segment)
    if segment.state != SegmentState.PUBLISHED:
        raise WrongState(f"Only a published segment can become inactive; it is {segment.state}.")
    refuse_if_used(segment)
    return move_segment(actor, segment, SegmentState.INACTIVE)


def delete_segment(*, actor: Actor, segment: Segment) -> None:
    """Delete a segment that nothing is built on, and take it off its members.

    Raises `SegmentInUse`, or `WrongState` for what a composition results in.
    """
    _refuse_composed(segment)
    remove_segment(actor=actor, segment=segment)


def remove_segment(*, actor: Actor, segment: Segment) -> None:
    """Remove a segment's row, and have it taken off its members. Raises `SegmentInUse`."""
    refuse_if_used(segment)
    audit.record(
        actor=actor, action="segment.deleted", target=segment, before={"rule": segment.rule}
    )
    if segment.origin == SegmentOrigin.UPLOAD:
        parts = UploadPart.objects.for_sandbox(segment.sandbox_id).filter(upload_id=segment.pk)
        batches = list(parts.values_list("pk", flat=True))
        publish(UPLOAD_ROWS_OVER, {"batches": batches}, sandbox=segment.sandbox)
    publish(SEGMENT_DELETED, {"segment": segment.pk}, sandbox=segment.sandbox)
    segment.delete()


def take_rule(segment: Segment, rule: Condition) -> None:
    """Keep a rule in its canonical form. Raises `Invalid` for references that lead nowhere."""
    words = vocabulary(segment.sandbox)
    asked = references(rule, words)
    segment.rule = write_tree(rule)
    segment.fields = paths(rule, words)
    segment.references = asked
    if segment.origin == SegmentOrigin.COMPOSITION:
        segment.references = [key for key in asked if not is_of_the_store(key)]
    _refuse_bad_references(segment)


def refuse_unpublished_parents(sandbox: Sandbox, asked: Sequence[str]) -> None:
    """Raise `WrongState` if a segment that is asked for is not published, or not there."""
    rows = selectors.list_segments(sandbox).filter(pk__in=asked).order_by("name")
    if missing := sorted(set(asked).difference(row.pk for row in rows)):
        raise WrongState(f"Its rule asks for what is not in this sandbox: {', '.join(missing)}.")
    if waiting := [row.name for row in rows if row.state != SegmentState.PUBLISHED]:
        raise WrongState(f"Publish first what its rule asks for: {', '.join(waiting)}.")


def _refuse_composed(segment: Segment) -> None:
    """Raise `WrongState` if a composition decides on the segment's life."""
    if segment.composition is not None:
        raise WrongState(
            f"The composition '{segment.composition}' results in this segment; say it to that.",
            composition=segment.composition_id,
        )


def _refuse_foreign_changes(segment: Segment, changed: Collection[str]) -> None:
    """Raise `WrongState` if what decides who is in the segment is not its rule."""
    if segment.origin == SegmentOrigin.COMPOSITION and set(changed) & _COMPOSED:
        _refuse_composed(segment)
    if segment.origin == SegmentOrigin.UPLOAD and set(changed) & _RULED:
        raise WrongState("The rows that were uploaded say who is in this segment; it has no rule.")


def refuse_unknown_segments(sandbox: Sandbox, asked: Sequence[str], path: str = "rule") -> None:
    """Raise `Invalid` if a rule asks for a segment that is not there."""
    known = set(selectors.list_segments(sandbox).filter(pk__in=asked).values_list("pk", flat=True))
    errors = [
        FieldError(path=path, code="unknown_segment", detail=f"There is no segment '{key}' here.")
        for key in asked
        if key not in known
    ]
    if errors:
        raise Invalid("The rule asks for a segment that does not exist.", errors=errors)


def _refuse_bad_references(segment: Segment) -> None:
    """Refuse references to nothing, and those that lead back to the segment itself."""
    hold_references(segment.sandbox)
    refuse_unknown_segments(segment.sandbox, segment.references)
    asks = dict(selectors.list_segments(segment.sandbox).values_list("pk", "references"))
    asks[segment.pk] = segment.references
    seen: set[str] = set()
    waiting = list(segment.references)
    while waiting:
        key = waiting.pop()
        if key == segment.pk:
            raise Invalid("The rule asks, over others, for the segment itself.", code="cycle")
        if key not in seen:
            seen.add(key)
            waiting.extend(asks.get(key, []))


def refuse_if_used(segment: Segment) -> None:
    """Raise `SegmentInUse` if something is built on the segment."""
    hold_references(segment.sandbox)
    if used := dependents(segment):
        names = ", ".join(f"{use['type']} '{use['name']}'" for use in used)
        raise SegmentInUse(f"The segment is used by {names}.", dependents=used)


def note_version(actor: Actor, segment: Segment) -> None:
    """Keep the segment's rule as it is now."""
    SegmentVersion.objects.create(
        sandbox=segment.sandbox,
        segment=segment,
        number=segment.version,
        rule=segment.rule,
        actor_name=actor.name,
    )


def move_segment(actor: Actor, segment: Segment, state: SegmentState) -> Segment:
    """Put a segment into another state."""
    before = segment.state
    segment.state = state
    if state == SegmentState.PUBLISHED:
        segment.published_at = timezone.now()
    segment.save()
    audit.record(
        actor=actor,
        action=f"segment.{state}",
        target=segment,
        before={"state": before},
        after={"state": state},
    )
    return segment


def _refuse_too_many_on_edge(segment: Segment) -> None:
    """Keep what a browser is told short: it has to fit into a cookie."""
    others = selectors.list_segments(segment.sandbox).filter(on_edge=True).exclude(pk=segment.pk)
    if segment.on_edge and others.count() >= MOST_ON_EDGE:
        detail = f"A sandbox tells visitors of {MOST_ON_EDGE} segments at most."
        problem = FieldError(path="on_edge", code="too_many", detail=detail)
        raise Invalid("Too many segments are meant for the edge.", errors=[problem])


def save_segment(segment: Segment, *, force_insert: bool = False) -> None:
    """Save a segment. Raises `Invalid`, `PolicyUnknown` or `NameTaken`."""
    if segment.merge_policy_id:
        get_merge_policy(segment.sandbox, segment.merge_policy_id)
    require_labels(segment.sandbox, segment.labels)
    clean(segment)
    _refuse_too_many_on_edge(segment)
    try:
        with transaction.atomic():
            segment.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a segment '{segment.name}' already.") from error
