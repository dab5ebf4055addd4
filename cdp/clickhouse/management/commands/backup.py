"""`manage.py backup DIR`: copy both stores at one instant, while they work."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cdp.clickhouse.backup import back_up
from cdp.engines import EngineError
from cdp.errors import DomainError


class Command(BaseCommand):
    help = "Back up PostgreSQL and the event store into a new directory, while work goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path)

    def handle(self, *args: Any, directory: Path, **options: Any) -> None:
        try:
            manifest = back_up(directory)
        except (DomainError, EngineError) as error:
            raise CommandError(str(error)) from error
        for table, rows in manifest.rows.items():
            self.stdout.write(f"{table:<20} {rows:>12} rows")
        self.stdout.write(f"The backup is in {directory}.")
