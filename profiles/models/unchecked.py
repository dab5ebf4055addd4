"""Owners of rows that come by the thousand."""

from django.db import models

from cdp.tenancy.models import Sandbox


def unchecked_sandbox() -> "models.ForeignKey[Sandbox, Sandbox]":
    """Own a row without a constraint, which would lock the sandbox's row for each of them."""
    return models.ForeignKey(
        Sandbox, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
