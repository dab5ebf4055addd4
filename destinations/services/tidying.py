"""Forgetting what was sent long ago."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from destinations.models import ActivationRun, Delivery

ACTOR: Final = Actor.system("destinations.tidy")
AT_ONCE: Final = 5_000


def tidy() -> None:
    """Remove the runs and deliveries that are no longer kept, of every sandbox."""
    before = timezone.now() - settings.DELIVERIES_KEPT
    for sandbox in Sandbox.objects.select_related("organization").order_by("pk"):
        while run := _oldest(sandbox, before):
            _forget(sandbox, run)


def _oldest(sandbox: Sandbox, before: datetime) -> str | None:
    with scope(sandbox, ACTOR):
        old = ActivationRun.objects.for_sandbox(sandbox).filter(closes_at__lt=before)
        return old.order_by("pk").values_list("pk", flat=True).first()


def _forget(sandbox: Sandbox, run: str) -> None:
    """Remove a run, its deliveries some at a time so that nobody waits long."""
    removed = AT_ONCE
    while removed == AT_ONCE:
        with scope(sandbox, ACTOR):
            rows = Delivery.objects.for_sandbox(sandbox)
            some = rows.filter(run=run).order_by("id").values("pk")[:AT_ONCE]
            removed, _ = rows.filter(pk__in=some).delete()
    with scope(sandbox, ACTOR):
        ActivationRun.objects.for_sandbox(sandbox).filter(pk=run).delete()
