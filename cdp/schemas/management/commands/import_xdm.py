"""`manage.py import_xdm DIR`: bring a folder of public XDM files into a sandbox."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cdp.schemas.services.importing import ImportReport, import_documents
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope


class Command(BaseCommand):
    """Reads every JSON file below the folder that has a `$id`; the others are examples."""

    help = "Bring the classes, field groups and data types of public XDM files into a sandbox."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--organization", required=True, help="its tenant namespace")
        parser.add_argument("--sandbox", default="prod")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        sandbox = _sandbox(options["organization"], options["sandbox"])
        actor = Actor.system("import_xdm")
        with scope(sandbox, actor):
            report = import_documents(
                actor=actor, sandbox=sandbox, documents=self.read(folder), partial=True
            )
        self.tell(report)

    def read(self, folder: Path) -> Iterator[tuple[str, Any]]:
        for path in sorted(folder.rglob("*.json")):
            name = str(path.relative_to(folder))
            try:
                document = json.loads(path.read_text("utf-8"))
            except (ValueError, RecursionError) as error:
                self.stderr.write(f"{name}: not JSON: {error}")
                continue
            if isinstance(document, dict) and isinstance(document.get("$id"), str):
                yield name, document

    def tell(self, report: ImportReport) -> None:
        for name, problems in report.failures.items():
            for problem in problems:
                place = f" at {problem.path}" if problem.path else ""
                self.stderr.write(f"{name}: {problem.rule}{place}: {problem.detail}")
        self.stdout.write(
            f"{len(report.created)} brought in, {len(report.known)} known already, "
            f"{len(report.failures)} refused"
        )


def _sandbox(tenant: str, name: str) -> Sandbox:
    found = Sandbox.objects.select_related("organization").filter(
        organization__tenant_namespace=tenant, name=name
    )
    sandbox = found.first()
    if sandbox is None:
        raise CommandError(f"There is no sandbox '{name}' of an organization '{tenant}'.")
    return sandbox
