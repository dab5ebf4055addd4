"""`manage.py rebuild_snapshots`: the event store's merged profiles, anew from PostgreSQL."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.ingest.batches import finish_open
from profiles.selectors.agreement import differences
from profiles.services.rebuilding import forget_slice, retake_slice
from profiles.stitching.locks import await_graphs

ACTOR = Actor.system("rebuild_snapshots")
MOST_SHOWN = 20
PATIENCE = "60s"  # a batch of records may be under way


class Command(BaseCommand):
    help = "Take every profile's snapshot anew, and prove that both stores agree; exit 1 if not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare only, change nothing")
        parser.add_argument("--organization", help="only the sandboxes of this organization")

    def handle(self, *args: Any, **options: Any) -> None:
        sandboxes = Sandbox.objects.select_related("organization").order_by("pk")
        if options["organization"]:
            sandboxes = sandboxes.filter(organization_id=options["organization"])
        wrong = 0
        for sandbox in sandboxes:
            if not options["check"]:
                self._rebuild(sandbox)
            wrong += self._compare(sandbox)
        if wrong:
            raise CommandError(f"{wrong} snapshots disagree with PostgreSQL.")
        self.stdout.write("Every snapshot says what PostgreSQL says.")

    def _rebuild(self, sandbox: Sandbox) -> None:
        self._by_slices(sandbox, retake_slice)
        self._by_slices(sandbox, forget_slice)
        self.stdout.write(f"{sandbox}: rebuilt")

    def _by_slices(self, sandbox: Sandbox, work: Callable[[Sandbox, int], int | None]) -> None:
        """Work from slice to slice, each finished before the next is begun."""
        last: int | None = 0
        while last is not None:
            with scope(sandbox, ACTOR):
                await_graphs(sandbox, PATIENCE)
                last = work(sandbox, last)
            finish_open(sandbox)

    def _compare(self, sandbox: Sandbox) -> int:
        wrong = 0
        for sentence in differences(sandbox):
            wrong += 1
            if wrong <= MOST_SHOWN:
                self.stdout.write(sentence)
        return wrong
