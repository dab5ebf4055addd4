"""`manage.py rotate_secrets`: wrap what is encrypted with a new key."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from cdp.tenancy.secrets import rotate_data_keys


class Command(BaseCommand):
    help = (
        "Wrap every organization's data key with the first key of CDP_SECRETS_KEYS. "
        "Put the new key first and keep the old one behind it until this has run."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                count = rotate_data_keys()
        except InvalidToken as error:
            raise CommandError(
                "None of the keys in CDP_SECRETS_KEYS opens an organization's data key. "
                "Add the key that wrapped it. Nothing was changed."
            ) from error
        self.stdout.write(f"{count} data keys are wrapped with the first key.")
