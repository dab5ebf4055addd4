"""Reading sources: a run fills a batch, which is then worked on like any other."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from cdp.datasets.enums import BatchState, RunState
from cdp.datasets.files.storage import Folder
from cdp.datasets.models import Batch, BatchFile, FlowRun, LandedFile
from cdp.datasets.services.batches import complete_batch, create_batch
from cdp.datasets.services.connections import source_of
from cdp.datasets.services.flows import run_if_due
from cdp.datasets.services.landing import file_key, move_mark
from cdp.datasets.services.uploads import folder_of, piece_name
from cdp.datasets.sources.base import Part, Pull, SourceError, SourceType, Window
from cdp.queue import Claim, Item, LeaseLost
from cdp.queue.failures import is_nobodys
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope

ACTOR: Final = Actor.system("datasets.flows")
_LOOK_SECONDS: Final = 5
_LONGEST_WAIT: Final = timedelta(days=1)
_OURS: Final = "Something went wrong on our side, and the operators' log says what."
_AT_ONCE: Final = 5_000
_BEGINNING: Final = (RunState.QUEUED, RunState.READING, RunState.RETRYING)


class _Cancelled(Exception):
    """Somebody has cancelled the run while it was reading."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a run has to do."""

    run_id: str
    sandbox: Sandbox
    batch: Batch
    folder: Folder
    source: SourceType
    selection: dict[str, Any]
    window: Window


def start_due(claim: Claim) -> None:
    """Handle topic `flows.due`: start the runs whose time has come."""
    for item in claim.items:
        with scope(claim.sandbox, ACTOR):
            run_if_due(item.payload["flow"], claim.sandbox, item.payload["at"])
            claim.finish([item])


def read_sources(claim: Claim) -> None:
    """Handle topic `flows.run`: read each run's source into its batch.

    A run whose worker dies is begun anew: what it had written is thrown away, and
    how far the flow has read was never changed. One that has done away with several has
    failed, or the flow would never run again.
    """
    for item in claim.items:
        run_id = item.payload["run"]
        if item.deaths >= settings.QUEUE_MAX_DEATHS - 1:  # then the queue no longer asks us
            with scope(claim.sandbox, ACTOR):
                _note(claim.sandbox, run_id, _died(item), for_good=True)
                claim.finish([item])
            continue
        with scope(claim.sandbox, ACTOR):
            plan = _begin(claim.sandbox, run_id)
        try:
            pull = _read(claim, plan) if plan else None
        except _Cancelled:
            pull = None
        except SourceError as error:
            _give_way(claim, item, plan, error)
            continue
        except LeaseLost:
            raise  # somebody else reads it by now
        except Exception as error:
            _note(claim.sandbox, run_id, _OURS, for_good=_is_last(item) and not is_nobodys(error))
            raise
        with scope(claim.sandbox, ACTOR):
            if plan and pull:
                _hand_over(plan, pull)
            claim.finish([item])


def _begin(sandbox: Sandbox, run_id: str) -> _Plan | None:
    run = (
        FlowRun.objects.for_sandbox(sandbox)
        .select_related("flow__connection__sandbox__organization", "flow__dataset__sandbox")
        .select_for_update(of=("self",))
        .filter(pk=run_id, state__in=_BEGINNING)
        .first()
    )
    if run is None:
        return None
    if run.batch_id:
        Batch.objects.for_sandbox(sandbox).filter(pk=run.batch_id).delete()
        Folder(sandbox, "batches", run.batch_id).remove()
    flow = run.flow
    batch = create_batch(
        actor=ACTOR,
        dataset=flow.dataset,
        partial_percent=flow.partial_percent,
        flow_run_id=run.pk,
        mapping_set_id=flow.mapping_set_id or "",
        mapping_version=flow.mapping_version,
        row_filter=flow.row_filter,
        external_id=f"{flow.name}"[:150] + f" {run.pk}",
    )
    run.state, run.batch, run.reason, run.input_bytes = RunState.READING, batch, "", 0
    run.started_at = run.started_at or timezone.now()
    run.save(update_fields=["state", "batch", "reason", "input_bytes", "started_at"])
    is_window = bool(run.window_start or run.window_end)
    return _Plan(
        run_id=run.pk,
        sandbox=sandbox,
        batch=batch,
        folder=folder_of(batch),
        source=source_of(flow.connection),
        selection=flow.selection,
        window=Window(
            marker=None if is_window else run.marker_before,
            since=run.window_start if is_window else flow.started_from,
            until=run.window_end,
            is_seen=(lambda _: set()) if is_window else partial(_landed, sandbox, flow.pk),
        ),
    )


def _read(claim: Claim, plan: _Plan) -> Pull:
    pull = plan.source.pull(plan.selection, plan.window)
    watch = _Watch(claim, plan)
    for part in pull.parts:
        file = BatchFile(sandbox=plan.sandbox, batch=plan.batch, name=part.name, complete=True)
        size = _write(plan.folder, piece_name(file, 0), part, watch)
        if not size or not part.is_whole():
            plan.folder.remove(file.pk)
            continue
        file.pieces, file.size = [[0, size]], size
        with scope(plan.sandbox, ACTOR):
            file.save(force_insert=True)
            runs = FlowRun.objects.for_sandbox(plan.sandbox).filter(pk=plan.run_id)
            runs.update(input_bytes=F("input_bytes") + size)
    watch.look()
    return pull


class _Watch:
    """Keeps the claim while a source is read, and looks whether the run has been cancelled."""

    def __init__(self, claim: Claim, plan: _Plan) -> None:
        self._claim, self._plan = claim, plan
        self._looked_at = time.monotonic()

    def __call__(self) -> None:
        """Look, if the last time is some seconds ago."""
        if time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self.look()

    def look(self) -> None:
        """Look now. Raises `_Cancelled` or `LeaseLost`."""
        self._looked_at = time.monotonic()
        self._claim.heartbeat()
        with scope(self._plan.sandbox, ACTOR):
            runs = FlowRun.objects.for_sandbox(self._plan.sandbox)
            if not runs.filter(pk=self._plan.run_id, state=RunState.READING).exists():
                self._plan.folder.remove()
                raise _Cancelled


def _write(folder: Folder, name: str, part: Part, watch: Callable[[], None]) -> int:
    size = 0
    with folder.writing(name) as file:
        for chunk in part.chunks:
            file.write(chunk)
            size += len(chunk)
            watch()
    return size


def _hand_over(plan: _Plan, pull: Pull) -> None:
    """Complete the batch, or close the run at once if there was nothing new."""
    run = FlowRun.objects.for_sandbox(plan.sandbox).select_for_update().get(pk=plan.run_id)
    if run.state != RunState.READING:
        return
    batch = Batch.objects.for_sandbox(plan.sandbox).select_related("sandbox").get(pk=plan.batch.pk)
    run.marker_after, run.files = pull.marker, [list(each) for each in pull.files]
    if batch.files.exists():
        batch.input_format, batch.format_options = pull.input_format, pull.format_options
        batch.save(update_fields=["input_format", "format_options"])
        run.state = RunState.STORING
        run.save(update_fields=["state", "marker_after", "files"])
        complete_batch(actor=ACTOR, batch=batch)
        return
    batch.delete()
    run.state, run.batch, run.completed_at = RunState.SUCCESS, None, timezone.now()
    run.save(update_fields=["state", "batch", "marker_after", "files", "completed_at"])
    move_mark(run)


def _give_way(claim: Claim, item: Item, plan: _Plan | None, error: SourceError) -> None:
    """Try again later what may work later, and give up the rest."""
    run_id = item.payload["run"]
    detail = plan.source.account.without_secrets(error.detail) if plan else error.detail
    is_young = timezone.now() - item.created_at < _LONGEST_WAIT
    if error.permanent or _is_last(item) or (error.wait and not is_young):
        with scope(claim.sandbox, ACTOR):
            _note(claim.sandbox, run_id, detail, for_good=True)
            claim.finish([item])
        return
    with scope(claim.sandbox, ACTOR):
        _note(claim.sandbox, run_id, detail, for_good=False)
        if error.wait:  # the source has said itself when it wants to be asked again
            claim.retry([item], detail, min(timedelta(seconds=error.wait), _LONGEST_WAIT))
            return
    raise SourceError(detail) from error


def _note(sandbox: Sandbox, run_id: str, reason: str, *, for_good: bool) -> None:
    """Say in the run that it has failed for now, or for good."""
    with scope(sandbox, ACTOR):
        runs = FlowRun.objects.for_sandbox(sandbox).filter(pk=run_id, state__in=_BEGINNING)
        if not for_good:
            runs.update(state=RunState.RETRYING, reason=reason)
            return
        for run in runs.select_for_update():
            if run.batch_id:
                batches = Batch.objects.for_sandbox(sandbox).filter(pk=run.batch_id)
                batches.update(state=BatchState.ABORTED, reason=reason)
                Folder(sandbox, "batches", run.batch_id).remove()
            run.state, run.reason, run.completed_at = RunState.FAILED, reason, timezone.now()
            run.save(update_fields=["state", "reason", "completed_at"])


def _died(item: Item) -> str:
    return f"The run's worker died {item.deaths} times while reading."


def _is_last(item: Item) -> bool:
    return item.attempts >= settings.QUEUE_MAX_ATTEMPTS


def _landed(
    sandbox: Sandbox, flow_id: str, asked: Collection[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Return which of these versions of files have landed before."""
    by_key = {file_key(path, version): (path, version) for path, version in asked}
    keys = sorted(by_key)
    found: set[str] = set()
    with scope(sandbox, ACTOR):
        rows = LandedFile.objects.for_sandbox(sandbox).filter(flow_id=flow_id)
        for start in range(0, len(keys), _AT_ONCE):
            some = rows.filter(key__in=keys[start : start + _AT_ONCE])
            found.update(some.values_list("key", flat=True))
    return {by_key[key] for key in found}
