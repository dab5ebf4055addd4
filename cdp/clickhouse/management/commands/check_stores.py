"""`manage.py check_stores`: do PostgreSQL and the event store agree?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cdp.clickhouse.agreement import disagreements


class Command(BaseCommand):
    help = "Compare what both stores hold; exit 1 if they disagree."

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for name, sentence in disagreements():
            found += 1
            self.stdout.write(f"{name}: {sentence}")
        if found:
            raise CommandError(f"The stores disagree in {found} places.")
        self.stdout.write("The stores agree.")
