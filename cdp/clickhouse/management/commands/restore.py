"""`manage.py restore DIR`: put a backup in the place of both stores."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cdp.clickhouse.backup import read_manifest, restore
from cdp.engines import EngineError
from cdp.engines.place import Place
from cdp.engines.up import engines_alone
from cdp.errors import DomainError


class Command(BaseCommand):
    help = "Replace everything in PostgreSQL and the event store with a backup."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, directory: Path, yes: bool, **options: Any) -> None:
        try:
            manifest = read_manifest(directory)
            if not yes and input(f"Replace all data with {manifest.taken_at}? [yes/no] ") != "yes":
                raise CommandError("Nothing was changed.")
            with engines_alone(Place(Path(settings.DATA_DIR)), say=self.stdout.write):
                _, open_units = restore(directory)
        except (DomainError, EngineError) as error:
            raise CommandError(str(error)) from error
        for name, count in open_units.items():
            self.stdout.write(f"{count} {name} were under way and will finish now.")
        self.stdout.write(f"Both stores are as they were at {manifest.taken_at}.")
