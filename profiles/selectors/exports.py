"""Reads of exports."""

from django.db.models import QuerySet

from cdp.tenancy.models import Sandbox
from profiles.models import ProfileExport


def list_exports(sandbox: Sandbox) -> QuerySet[ProfileExport]:
    """Return the sandbox's exports of profiles."""
    rows = ProfileExport.objects.for_sandbox(sandbox)
    return rows.select_related("sandbox__organization")
