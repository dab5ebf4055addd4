"""`manage.py delete_operator`: an operator leaves."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cdp.errors import DomainError
from cdp.tenancy.services.operators import delete_operator


class Command(BaseCommand):
    help = "Delete an operator; their credentials and tokens stop working at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            delete_operator(email=options["email"])
        except DomainError as error:
            raise CommandError(error.detail) from error
