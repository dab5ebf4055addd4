"""The life of a composition, and of the segments that it results in.

These have no life of their own: they are made, published, frozen and deleted with it.
"""

from collections.abc import Iterator
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.utils import timezone

from cdp.datasets.models import Dataset
from cdp.datasets.selectors import list_datasets
from cdp.errors import FieldError, Invalid
from cdp.schemas.selectors import compiled_schema
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox
from segments import selectors
from segments.compositions.compiling import Result, base_of, results_of
from segments.compositions.definition import Definition, Enrichment
from segments.compositions.reading import canonical, read_definition
from segments.enums import SegmentOrigin, SegmentState
from segments.errors import RuleRefused, WrongState
from segments.language.errors import RuleError
from segments.language.vocabulary import Vocabulary, suggest
from segments.models import Composition, Segment
from segments.rules import references
from segments.seeing import require_seen, require_seen_attributes
from segments.services.evaluations import request_evaluation
from segments.services.lifecycle import (
    check_uses,
    move_segment,
    note_version,
    refuse_if_used,
    refuse_unknown_segments,
    refuse_unpublished_parents,
    remove_segment,
    save_segment,
    take_rule,
)
from segments.services.look_ups import note_look_ups
from segments.vocabulary import vocabulary


def create_composition(
    *, actor: Actor, sandbox: Sandbox, definition: Any, **values: Any
) -> Composition:
    """Make a draft, and a draft of each segment that it results in.

    Raises `RuleRefused` with every problem of the definition, `FieldHidden`, `Invalid` or
    `NameTaken`.
    """
    composition = Composition(sandbox=sandbox, **values)
    read = _take_definition(actor, composition, definition)
    _save(composition, force_insert=True)
    _make_results(actor, composition, read)
    audit.record(
        actor=actor,
        action="composition.created",
        target=composition,
        after={**values, "definition": composition.definition},
    )
    return composition


def change_composition(*, actor: Actor, composition: Composition, **changes: Any) -> Composition:
    """Change a composition; its results are evaluated anew if it is published.

    A branch keeps its segment as long as its key stays. Raises as `create_composition`,
    `SegmentInUse` if a branch goes that something is built on, and what a use check raises.
    """
    before = {field: getattr(composition, field) for field in changes}
    definition = changes.get("definition")
    for field, value in changes.items():
        setattr(composition, field, value)
    if "definition" in changes:
        read = _take_definition(actor, composition, definition)
        composition.version += composition.definition != before["definition"]
    else:
        read = read_definition(composition.definition, vocabulary(composition.sandbox))
    _save(composition)
    results = _make_results(actor, composition, read)
    audit.record(
        actor=actor, action="composition.changed", target=composition, before=before, after=changes
    )
    if composition.state == SegmentState.PUBLISHED and "definition" in changes:
        _evaluate(actor, composition, results)
    return composition


def publish_composition(*, actor: Actor, composition: Composition) -> Composition:
    """Have what it results in evaluated from now on. Raises `WrongState` as a segment does."""
    if composition.state == SegmentState.PUBLISHED:
        return composition
    results = list(selectors.list_results(composition))
    _refuse_unpublished(results)
    composition.published_at = timezone.now()
    _move(actor, composition, SegmentState.PUBLISHED)
    for segment in results:
        move_segment(actor, segment, SegmentState.PUBLISHED)
    _evaluate(actor, composition, results)
    return composition


def deactivate_composition(*, actor: Actor, composition: Composition) -> Composition:
    """Freeze the members of what it results in. Raises `SegmentInUse` or `WrongState`."""
    if composition.state != SegmentState.PUBLISHED:
        raise WrongState(
            f"Only a published composition can become inactive; it is {composition.state}."
        )
    results = list(selectors.list_results(composition))
    for segment in results:
        refuse_if_used(segment)
    for segment in results:
        move_segment(actor, segment, SegmentState.INACTIVE)
    return _move(actor, composition, SegmentState.INACTIVE)


def delete_composition(*, actor: Actor, composition: Composition) -> None:
    """Delete it with what it results in. Raises `SegmentInUse`."""
    results = list(selectors.list_results(composition))
    for segment in results:
        refuse_if_used(segment)
    for segment in results:
        remove_segment(actor=actor, segment=segment)
    audit.record(
        actor=actor,
        action="composition.deleted",
        target=composition,
        before={"definition": composition.definition},
    )
    composition.delete()


def _take_definition(actor: Actor, composition: Composition, tree: Any) -> Definition:
    words = vocabulary(composition.sandbox)
    try:
        definition = read_definition(tree, words)
    except RuleError as error:
        raise RuleRefused(error.problems, field="definition") from error
    asked = references(base_of(definition), words)
    refuse_unknown_segments(composition.sandbox, asked, path="definition")
    _refuse_odd_enrichments(composition.sandbox, definition)
    _refuse_hidden(actor, composition, definition, words)
    composition.definition = canonical(tree, words)
    return definition


def _refuse_hidden(
    actor: Actor, composition: Composition, definition: Definition, words: Vocabulary
) -> None:
    """Refuse what names a field that is kept from the actor; who is found would tell it."""
    for result in results_of(definition, composition.pk):
        require_seen(composition.sandbox, actor, result.rule, words)
    require_seen(composition.sandbox, actor, base_of(definition), words)
    keys = [each.key for each in definition.enrich]
    ranks = [definition.rank.by] if definition.rank else []
    require_seen_attributes(composition.sandbox, actor, [*keys, *ranks])


def _refuse_odd_enrichments(sandbox: Sandbox, definition: Definition) -> None:
    """Refuse datasets and fields that are not there."""
    datasets = list_datasets(sandbox).filter(behavior="record").in_bulk(
        {each.dataset for each in definition.enrich}
    )  # fmt: skip
    errors = [
        FieldError(path=f"definition/enrich/{number}/{path}", code=code, detail=detail)
        for number, each in enumerate(definition.enrich)
        for path, code, detail in _odd(datasets.get(each.dataset), each)
    ]
    if errors:
        raise Invalid("The composition cannot be enriched so; see `errors`.", errors=errors)


def _odd(dataset: Dataset | None, enrichment: Enrichment) -> Iterator[tuple[str, str, str]]:
    if dataset is None:
        detail = f"There is no dataset of records '{enrichment.dataset}' here."
        yield "dataset_id", "unknown_dataset", detail
        return
    fields = compiled_schema(dataset.sandbox, dataset.schema_id).fields
    places = [("match", enrichment.match)]
    places += [(f"attributes/{n}", path) for n, path in enumerate(enrichment.attributes)]
    for at, path in places:
        field = fields.get(path)
        if field is None:
            near = suggest(path, fields)
            hint = f" Did you mean '{near}'?" if near else ""
            yield at, "unknown_path", f"'{dataset.name}' has no field '{path}'.{hint}"
        elif not field.is_leaf or field.array or field.in_array:
            yield at, "many_values", f"'{path}' holds more than one value: name one inside it."
        elif at == "match" and field.type != "string":
            yield at, "no_key", f"A record is found by a text; '{path}' is none."


def _make_results(actor: Actor, composition: Composition, definition: Definition) -> list[Segment]:
    """Bring the segments that result into line with the definition."""
    wanted = {result.key: result for result in results_of(definition, composition.pk)}
    standing = {segment.branch: segment for segment in selectors.list_results(composition)}
    for key in standing.keys() - wanted.keys():
        remove_segment(actor=actor, segment=standing[key])
    return [
        _make_result(actor, composition, result, standing.get(key))
        for key, result in wanted.items()
    ]


def _make_result(
    actor: Actor, composition: Composition, result: Result, standing: Segment | None
) -> Segment:
    segment = standing or Segment(
        sandbox=composition.sandbox,
        composition=composition,
        origin=SegmentOrigin.COMPOSITION,
        branch=result.key,
        state=cast("SegmentState", composition.state),
        published_at=composition.published_at,
    )
    segment.name = result.name or composition.name
    is_new = standing is None or segment.version != composition.version
    segment.version = composition.version
    take_rule(segment, result.rule)
    save_segment(segment, force_insert=standing is None)
    note_look_ups(segment)
    if is_new:
        note_version(actor, segment)
    if standing is not None:
        check_uses(actor, segment)
    return segment


def _evaluate(actor: Actor, composition: Composition, results: list[Segment]) -> None:
    _refuse_unpublished(results)
    keys = [segment.pk for segment in results]
    request_evaluation(actor=actor, sandbox=composition.sandbox, segments=keys)


def _refuse_unpublished(results: list[Segment]) -> None:
    asked = sorted({key for segment in results for key in segment.references})
    if results:
        refuse_unpublished_parents(results[0].sandbox, asked)


def _move(actor: Actor, composition: Composition, state: SegmentState) -> Composition:
    before = composition.state
    composition.state = state
    composition.save()
    audit.record(
        actor=actor,
        action=f"composition.{state}",
        target=composition,
        before={"state": before},
        after={"state": state},
    )
    return composition


def _save(composition: Composition, *, force_insert: bool = False) -> None:
    clean(composition)
    try:
        with transaction.atomic():
            composition.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a composition '{composition.name}' already.") from error
