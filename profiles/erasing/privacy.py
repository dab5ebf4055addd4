"""Carrying out what a person may ask for: to see what is held on her, or to have it erased."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import uuid4

from django.db.models import Q
from django.utils import timezone

from cdp.datasets.files.storage import Folder
from cdp.jobs.handle import JobHandle
from cdp.tenancy.models import Sandbox
from cdp.tenancy.sandboxes import ErasedPerson, handlers
from cdp.tenancy.scope import scope
from profiles.enums import PrivacyAction, WorkState
from profiles.erasing.access import write_access_file
from profiles.erasing.naming import Naming
from profiles.erasing.people import (
    Removal,
    profiles_known,
    remove,
    stored_numbers,
    whole_people,
)
from profiles.erasing.requests import begin, complete, fail, finish_open_batches
from profiles.erasing.suppression import suppress
from profiles.erasing.traces import remove_traces
from profiles.exporting import keeping as exports
from profiles.identity.rules import Identity
from profiles.ingest.keeping import keep_batch
from profiles.models import DeletionOrder, PrivacyJob
from profiles.stitching.locks import await_graphs

KIND: Final = "profiles.privacy"
OURS: Final = "profiles"
CONTENT: Final = "content.zip"
_PATIENCE: Final = "60s"


def run_privacy_job(job: JobHandle) -> dict[str, str]:
    """Run one request; run again from its start, it goes on with what is left."""
    with scope(job.sandbox, job.actor):
        row = PrivacyJob.objects.for_sandbox(job.sandbox).get(pk=job.params["request"])
        begin(row)
    try:
        if row.action == PrivacyAction.DELETE:
            _erase(job, row)
        else:
            _show(job, row)
    except Exception as error:
        fail(row, job, error)
        raise
    return {"request": row.pk}


def content_folder(sandbox: Sandbox, request: str) -> Folder:
    """Return where the file of an access request lies."""
    return Folder(sandbox, "privacy", request)


def _show(job: JobHandle, row: PrivacyJob) -> None:
    with scope(job.sandbox, job.actor):
        identities = _named(row)
        everybody = whole_people(job.sandbox, identities) if row.expand else {}
        everybody |= stored_numbers(job.sandbox, identities)
        folder = content_folder(job.sandbox, row.pk)
        receipts = write_access_file(
            job.sandbox, folder, CONTENT, everybody, {*everybody, *identities}
        )
    with scope(job.sandbox, job.actor):
        complete(row, receipts)


def _erase(job: JobHandle, row: PrivacyJob) -> None:
    """Erase in this order: nothing new may come in before what is there is looked for."""
    sandbox = job.sandbox
    with scope(sandbox, job.actor):
        await_graphs(sandbox, _PATIENCE)
        named = set(_named(row))
        named |= set(whole_people(sandbox, named)) if row.expand else set()
        suppress(sandbox, named, timezone.now())
        row.identities = [{"namespace": i.namespace, "value": i.value} for i in sorted(named)]
        row.profiles = sorted({*row.profiles, *profiles_known(sandbox, named)})
        row.save(update_fields=["identities", "profiles"])  # found again, should we die half way
    finish_open_batches(sandbox)
    with scope(sandbox, job.actor):
        naming = Naming(sandbox, named)
        batches = naming.batches(stored_numbers(sandbox, named).values())
        traces = remove_traces(sandbox, _words(named) | naming.spellings(), batches)
        await_graphs(sandbox, _PATIENCE)
        removal = remove(sandbox, stored_numbers(sandbox, named).values())
        keep_batch(sandbox, uuid4(), removal.payload)
    finish_open_batches(sandbox)
    with scope(sandbox, job.actor):
        receipts = {
            OURS: _counts(removal),
            "event store": naming.delete(),
            "way in": traces,
            "exports": exports.erase_person(sandbox, _erased(row)),
            **_elsewhere(sandbox, _erased(row)),
        }
        _forget_requests(sandbox, named)
    with scope(sandbox, job.actor):
        complete(
            row, receipts, identities=[], profiles=[], user_key=_anonymous(row.user_key, named)
        )


def _words(identities: Iterable[Identity]) -> set[str]:
    return {identity.value for identity in identities}


def _named(row: PrivacyJob) -> list[Identity]:
    return [Identity(one["namespace"], one["value"]) for one in row.identities]


def _counts(removal: Removal) -> Mapping[str, int]:
    return {
        "identities": removal.identities,
        "fragments": removal.fragments,
        "profiles": removal.profiles,
    }


def _erased(row: PrivacyJob) -> ErasedPerson:
    pairs = [(identity.namespace, identity.value) for identity in _named(row)]
    return ErasedPerson(pairs, row.profiles)


def _elsewhere(sandbox: Sandbox, person: ErasedPerson) -> dict[str, Mapping[str, int]]:
    """Have every other app erase the person; return each one's receipt."""
    return {
        name: handler.erase(sandbox, person)
        for name, handler in handlers().items()
        if handler.erase is not None and name != OURS
    }


def _forget_requests(sandbox: Sandbox, named: set[Identity]) -> None:
    """Take the person out of earlier requests and orders, and remove the files they made.

    One that was carried out has forgotten her itself, unless it was to show her; one that is
    still to be carried out will.
    """
    over = Q(action=PrivacyAction.ACCESS) | Q(state=WorkState.ERROR)
    earlier = PrivacyJob.objects.for_sandbox(sandbox).filter(over)
    for row in earlier.exclude(identities=[]).iterator(chunk_size=500):
        if named.isdisjoint(_named(row)):
            continue
        content_folder(sandbox, row.pk).remove()
        row.identities, row.profiles, row.user_key = [], [], _anonymous(row.user_key, named)
        row.save(update_fields=["identities", "profiles", "user_key"])
    failed = DeletionOrder.objects.for_sandbox(sandbox).filter(state=WorkState.ERROR)
    for order in failed.exclude(identities=[]).iterator(chunk_size=500):
        others = [one for one in order.identities if Identity(**one) not in named]
        if len(others) < len(order.identities):
            order.identities = others
            order.save(update_fields=["identities"])


def _anonymous(key: str, named: Iterable[Identity]) -> str:
    """Return the customer's own key for the person, unless it says who she is."""
    return "" if any(one.value.lower() in key.lower() for one in named) else key
