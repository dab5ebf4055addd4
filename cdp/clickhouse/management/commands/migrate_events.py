"""`manage.py migrate_events`: bring the event store's tables up to date."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from cdp.clickhouse.deduplication import verify_deduplication
from cdp.clickhouse.migrator import migrate, pending


class Command(BaseCommand):
    help = "Apply the event store's numbered migrations and try its deduplication."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="Only say what is missing; exit 1 if anything is."
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        if check:
            missing = pending()
            for migration in missing:
                self.stdout.write(f"{migration.number:04} {migration.name} is missing")
            if missing:
                raise SystemExit(1)
            return
        done = migrate(lambda it: self.stdout.write(f"{it.number:04} {it.name} applied"))
        if not done:
            self.stdout.write("The event store is up to date.")
        verify_deduplication()
