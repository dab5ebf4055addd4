"""Taking requests to see, erase and delete. A job carries each of them out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from django.db.models import Sum
from django.utils import timezone

from cdp import jobs
from cdp.datasets.selectors import get_dataset
from cdp.errors import FieldError, Invalid
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from profiles.enums import DeletionKind, PrivacyAction
from profiles.erasing import orders, privacy
from profiles.errors import QuotaExceeded
from profiles.identity.rules import Identity
from profiles.models import DeletionOrder, PrivacyJob, RetentionSettings
from profiles.selectors.rules import namespace_catalogue

Request = TypeVar("Request", PrivacyJob, DeletionOrder)

DAILY: Final = 700_000
MONTHLY: Final = 12_000_000


def request_privacy(
    *,
    actor: Actor,
    sandbox: Sandbox,
    actions: Iterable[PrivacyAction],
    identities: Sequence[Identity],
    **values: Any,
) -> list[PrivacyJob]:
    """Take a person's request: one row and one job for each thing that she asks for.

    An erasure of the same person waits for nothing: who asks for both gets what was
    held when the access job ran.
    """
    return [
        _start(
            actor,
            PrivacyJob(sandbox=sandbox, action=action, identities=_plain(identities), **values),
            privacy.KIND,
            "privacy_job.submitted",
        )
        for action in sorted(actions)  # access first
    ]


def delete_profiles(
    *, actor: Actor, sandbox: Sandbox, profiles: Sequence[int], title: str = ""
) -> DeletionOrder:
    """Have profiles deleted with everything that feeds them."""
    order = DeletionOrder(
        sandbox=sandbox,
        kind=DeletionKind.PROFILES,
        profiles=list(profiles),
        count=len(profiles),
        title=title,
    )
    return _start(actor, order, orders.KIND, "deletion.submitted")


def delete_dataset_rows(
    *, actor: Actor, sandbox: Sandbox, dataset_id: str, title: str = ""
) -> DeletionOrder:
    """Have what a dataset says removed from all profiles. Raises `DatasetUnknown`."""
    get_dataset(sandbox, dataset_id)
    order = DeletionOrder(
        sandbox=sandbox, kind=DeletionKind.DATASET, dataset_id=dataset_id, title=title
    )
    return _start(actor, order, orders.KIND, "deletion.submitted")


def delete_records(
    *,
    actor: Actor,
    sandbox: Sandbox,
    identities: Sequence[Identity],
    dataset_id: str = "",
    title: str = "",
) -> DeletionOrder:
    """Have the rows deleted that belong to these identities, in one dataset or in all.

    Raises `QuotaExceeded` or `DatasetUnknown`.
    """
    if dataset_id:
        get_dataset(sandbox, dataset_id)
    _check_quota(sandbox, len(identities))
    order = DeletionOrder(
        sandbox=sandbox,
        kind=DeletionKind.RECORDS,
        dataset_id=dataset_id,
        identities=_plain(identities),
        count=len(identities),
        title=title,
    )
    return _start(actor, order, orders.KIND, "deletion.submitted")


def quota(sandbox: Sandbox) -> dict[str, dict[str, int]]:
    """Return how many identities were ordered deleted in a day and in 30, and how many may be."""
    return {
        "daily": {"used": _ordered(sandbox, timedelta(days=1)), "limit": DAILY},
        "monthly": {"used": _ordered(sandbox, timedelta(days=30)), "limit": MONTHLY},
    }


def set_retention(
    *,
    actor: Actor,
    sandbox: Sandbox,
    anonymous_namespaces: Sequence[str],
    anonymous_days: int | None,
) -> RetentionSettings:
    """Say after how many days without a sign of life anonymous people go; None keeps them.

    Raises `Invalid` for a namespace that the sandbox does not have.
    """
    namespaces = _known_namespaces(sandbox, anonymous_namespaces)
    row, _ = RetentionSettings.objects.for_sandbox(sandbox).get_or_create(
        defaults={"sandbox": sandbox}
    )
    before = {"days": row.anonymous_days, "namespaces": row.anonymous_namespaces}
    row.anonymous_namespaces = namespaces
    row.anonymous_days, row.swept_at = anonymous_days, None
    row.save()
    audit.record(
        actor=actor,
        action="retention.changed",
        target=row,
        before=before,
        after={"days": row.anonymous_days, "namespaces": row.anonymous_namespaces},
    )
    return row


def _start(actor: Actor, row: Request, kind: str, action: str) -> Request:
    """Save a request and the job that carries it out. The trail says nothing of the person."""
    row.save(force_insert=True)
    job = jobs.start(kind, sandbox=row.sandbox, actor=actor, params={"request": row.pk})
    row.job_id = job.pk
    row.save(update_fields=["job_id"])
    audit.record(actor=actor, action=action, target=row, after={"job": job.pk})
    return row


def _plain(identities: Iterable[Identity]) -> list[Mapping[str, str]]:
    return [{"namespace": one.namespace, "value": one.value} for one in identities]


def _check_quota(sandbox: Sandbox, wanted: int) -> None:
    for name, state in quota(sandbox).items():
        left = state["limit"] - state["used"]
        if wanted > left:
            raise QuotaExceeded(
                f"The {name} quota of identity deletions is {state['limit']:,}; {left:,} are left.",
                retry_after=3_600,
                quota=name,
            )


def _ordered(sandbox: Sandbox, within: timedelta) -> int:
    orders_since = DeletionOrder.objects.for_sandbox(sandbox).filter(
        kind=DeletionKind.RECORDS, created_at__gte=timezone.now() - within
    )
    return int(orders_since.aggregate(total=Sum("count"))["total"] or 0)


def _known_namespaces(sandbox: Sandbox, codes: Sequence[str]) -> list[str]:
    catalogue = namespace_catalogue(sandbox)
    found = [catalogue.find(code) for code in codes]
    errors = [
        FieldError(
            path=f"anonymous_namespaces.{place}",
            code="namespace_unknown",
            detail=f"There is no namespace '{codes[place]}' in this sandbox.",
        )
        for place, namespace in enumerate(found)
        if namespace is None
    ]
    if errors:
        raise Invalid("Some namespaces are unknown.", errors=errors)
    return [namespace.code for namespace in found if namespace is not None]
