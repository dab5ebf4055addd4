"""Making, changing, scheduling and starting flows."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from cdp import queue
from cdp.datasets.enums import FlowState, RunState, RunTrigger
from cdp.datasets.errors import RunActive
from cdp.datasets.mapping.errors import ExpressionInvalid
from cdp.datasets.mapping.expression import compile_expression
from cdp.datasets.models import Connection, Dataset, Flow, FlowRun, MappingSet, MappingVersion
from cdp.datasets.sources.configuration import checked_selection
from cdp.datasets.sources.registry import get_type
from cdp.datasets.topics import FLOW_RUNS, FLOWS_DUE
from cdp.errors import Conflict, FieldError, Invalid
from cdp.queue.schedules import check_schedule, next_run, start_of
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox

ACTIVE: Final = (RunState.QUEUED, RunState.READING, RunState.STORING, RunState.RETRYING)


def create_flow(
    *,
    actor: Actor,
    sandbox: Sandbox,
    connection: Connection,
    dataset: Dataset,
    mapping_set: MappingSet | None = None,
    **values: Any,
) -> Flow:
    """Make a flow; one with an interval runs at once, then by its schedule.

    Raises `NameTaken`, or `Invalid` with everything that does not fit together.
    """
    flow = Flow(
        sandbox=sandbox,
        connection=connection,
        dataset=dataset,
        mapping_set=mapping_set,
        **values,
    )
    if mapping_set is not None and flow.mapping_version is None:
        flow.mapping_version = mapping_set.version
    _check(flow)
    if not flow.backfill:
        flow.started_from = start_of(flow.schedule) or timezone.now()
    clean(flow)
    _save(flow, force_insert=True)
    audit.record(
        actor=actor,
        action="flow.created",
        target=flow,
        after={"name": flow.name, "connection": connection.pk, "dataset": dataset.pk},
    )
    _set_timer(flow, timezone.now())
    return flow


def change_flow(*, actor: Actor, flow: Flow, **changes: Any) -> Flow:
    """Change a flow. How far it has read stays, unless it reads something else now.

    Raises `RunActive` if a run is reading what the flow would read no more.
    """
    before = {field: _shown(getattr(flow, field)) for field in changes}
    read_before = flow.connection_id, flow.selection
    for field, value in changes.items():
        setattr(flow, field, value)
    _check(flow)
    if (flow.connection_id, flow.selection) != read_before:
        _refuse_while_running(flow)
        flow.marker = None
    clean(flow)
    _save(flow)
    after = {field: _shown(value) for field, value in changes.items()}
    audit.record(actor=actor, action="flow.changed", target=flow, before=before, after=after)
    if {"schedule", "state"} & changes.keys():
        _set_timer(flow, timezone.now())
    return flow


def delete_flow(*, actor: Actor, flow: Flow) -> None:
    """Delete a flow; what it has brought stays. Raises `RunActive`."""
    _refuse_while_running(flow)
    audit.record(actor=actor, action="flow.deleted", target=flow)
    flow.delete()


def run_now(
    *,
    actor: Actor,
    flow: Flow,
    window_start: datetime | None = None,
    window_end: datetime | None = None,
) -> FlowRun:
    """Start a run, of everything new or of a window of time.

    A window is read again whatever has landed, and does not move the mark up to which
    the flow has read. Raises `RunActive` if a run is under way.
    """
    if window_start and window_end and window_start >= window_end:
        raise Invalid("The window ends before it begins.")
    if (window_start or window_end) and not _can_be_limited(flow.selection):
        raise Invalid("Without a delta column there is no telling which rows are in a window.")
    run = start_run(flow, RunTrigger.MANUAL, window_start=window_start, window_end=window_end)
    if run is None:
        raise RunActive("The flow is running already. Wait for the run, or cancel it.")
    audit.record(actor=actor, action="flow.run", target=flow, after={"run": run.pk})
    return run


def cancel_run(*, actor: Actor, run: FlowRun) -> FlowRun:
    """Stop a run that still reads its source; nothing of it is kept."""
    locked = FlowRun.objects.for_sandbox(run.sandbox_id).select_for_update().get(pk=run.pk)
    if locked.state not in (RunState.QUEUED, RunState.READING, RunState.RETRYING):
        raise Conflict(f"The run is '{locked.state}' and cannot be cancelled any more.")
    locked.state, locked.completed_at = RunState.CANCELLED, timezone.now()
    locked.save(update_fields=["state", "completed_at"])
    audit.record(actor=actor, action="flow_run.cancelled", target=locked)
    return locked


def start_run(flow: Flow, trigger: RunTrigger, **window: datetime | None) -> FlowRun | None:
    """Make a run and have it worked on; None if there is one under way."""
    try:
        with transaction.atomic():
            run = FlowRun.objects.create(
                sandbox=flow.sandbox,
                flow=flow,
                trigger=trigger,
                marker_before=flow.marker,
                window_start=window.get("window_start"),
                window_end=window.get("window_end"),
            )
    except IntegrityError:
        return None
    queue.publish(FLOW_RUNS, {"run": run.pk}, sandbox=flow.sandbox, key=run.pk)
    return run


def run_if_due(flow_id: str, sandbox: Sandbox, at: str) -> None:
    """Start a run whose time has come, and set the timer of the next one.

    A timer that was set before the schedule changed says another time and does nothing.
    """
    flow = (
        Flow.objects.for_sandbox(sandbox)
        .select_related("sandbox")
        .select_for_update(of=("self",))
        .filter(pk=flow_id, state=FlowState.ENABLED)
        .first()
    )
    if flow is None or flow.next_run_at is None or flow.next_run_at.isoformat() != at:
        return
    start_run(flow, RunTrigger.SCHEDULE)
    _publish_timer(flow, next_run(flow.schedule, sandbox.time_zone, after=timezone.now()))


def _set_timer(flow: Flow, now: datetime) -> None:
    if flow.state != FlowState.ENABLED or not flow.schedule:
        _publish_timer(flow, None)
        return
    begins_at_once = "every" in flow.schedule and "start_at" not in flow.schedule
    zone = flow.sandbox.time_zone
    _publish_timer(flow, now if begins_at_once else next_run(flow.schedule, zone, after=now))


def _publish_timer(flow: Flow, at: datetime | None) -> None:
    flow.next_run_at = at
    flow.save(update_fields=["next_run_at"])
    if at is not None:
        queue.publish(
            FLOWS_DUE,
            {"flow": flow.pk, "at": at.isoformat()},
            sandbox=flow.sandbox,
            available_at=max(at, timezone.now() - timedelta(seconds=1)),
        )


def _refuse_while_running(flow: Flow) -> None:
    if flow.runs.filter(state__in=ACTIVE).exists():
        raise RunActive("The flow is running. Wait for the run, or cancel it first.")


def _check(flow: Flow) -> None:
    """Raise `Invalid` with everything that does not fit together."""
    source_type = get_type(flow.connection.kind)
    flow.selection = checked_selection(source_type, flow.selection)
    errors = [*_mapping_errors(flow), *_filter_errors(flow)]
    if problem := check_schedule(flow.schedule, flow.sandbox.time_zone):
        errors.append(FieldError(path="schedule", code="invalid", detail=problem))
    if not flow.backfill and not _can_be_limited(flow.selection):
        detail = "Without a delta column there is no telling what is new: choose one, or backfill."
        errors.append(FieldError(path="backfill", code="invalid", detail=detail))
    if flow.dataset.system:
        detail = "A dataset of the platform itself takes nothing from outside."
        errors.append(FieldError(path="dataset_id", code="invalid", detail=detail))
    if errors:
        raise Invalid("The flow cannot work; see `errors`.", errors=errors)


def _mapping_errors(flow: Flow) -> list[FieldError]:
    mapping_set = flow.mapping_set
    if mapping_set is None:
        return []
    if mapping_set.schema_id != flow.dataset.schema_id:
        detail = "The mapping set is for another schema than the dataset's."
        return [FieldError(path="mapping_set_id", code="other_schema", detail=detail)]
    versions = MappingVersion.objects.for_sandbox(flow.sandbox_id).filter(
        mapping_set=mapping_set, number=flow.mapping_version or 0
    )
    if not versions.exists():
        detail = f"The mapping set has no version {flow.mapping_version}."
        return [FieldError(path="mapping_version", code="unknown", detail=detail)]
    return []


def _filter_errors(flow: Flow) -> list[FieldError]:
    if not flow.row_filter:
        return []
    try:
        compile_expression(flow.row_filter)
    except ExpressionInvalid as error:
        return [FieldError(path="row_filter", code="invalid", detail=error.detail)]
    return []


def _can_be_limited(selection: Mapping[str, Any]) -> bool:
    names = ("delta_column", "delta_field", "format")  # files are limited by their own time
    return any(selection.get(name) for name in names)


def _shown(value: Any) -> Any:
    return getattr(value, "pk", value)


def _save(flow: Flow, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            flow.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is a flow '{flow.name}' already.") from error
