"""`manage.py create_operator`: the first step of an installation."""

import secrets
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from cdp.errors import DomainError
from cdp.tenancy.services.operators import create_operator


class Command(BaseCommand):
    help = "Make an operator for the console, with a credential for the API, and print both."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="what the operator signs in with")
        parser.add_argument("--password", help="made up and printed if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        email, given = options["email"], options["password"]
        password = given or secrets.token_urlsafe(16)
        try:
            validate_email(email)
            validate_password(password)
            _, credential, secret = create_operator(email=email, password=password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except DomainError as error:
            raise CommandError(error.detail) from error
        lines = [
            f"Operator       {email}",
            *([] if given else [f"Password       {password}"]),
            f"Client id      {credential.client_id}",
            f"Client secret  {secret}",
            "Neither secret is shown again. With the credential, organizations are created: see /api/v1/docs/.",
        ]
        self.stdout.write("\n".join(lines))
