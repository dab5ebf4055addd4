"""`manage.py rebuild_snapshots`: the event store's merged profiles, anew from PostgreSQL."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from profiles.ingest.batches import finish_batch, open_batches
from profiles.selectors.agreement import differences, orphaned
from profiles.services.rebuilding import forget_snapshots, retake_slice
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
        """Work through the profiles by slices, each finished before the next is begun."""
        last: int | None = 0
        while last is not None:
            with scope(sandbox, ACTOR):
                await_graphs(sandbox, PATIENCE)
                last = retake_slice(sandbox, last)
            self._finish(sandbox)
        orphans = list(orphaned(sandbox))
        with scope(sandbox, ACTOR):
            forget_snapshots(sandbox, orphans)
        self._finish(sandbox)
        self.stdout.write(f"{sandbox}: rebuilt")

    def _finish(self, sandbox: Sandbox) -> None:
        for batch in open_batches(sandbox):
            finish_batch(sandbox, batch, lambda done: done.delete())

    def _compare(self, sandbox: Sandbox) -> int:
        wrong = 0
        for sentence in differences(sandbox):
            wrong += 1
            if wrong <= MOST_SHOWN:
                self.stdout.write(sentence)
        return wrong
