"""Requests of persons, orders to delete, and how long anonymous people are kept."""

from django.db.models import QuerySet

from cdp.tenancy.models import Sandbox
from profiles.models import DeletionOrder, PrivacyJob, RetentionSettings


def list_privacy_jobs(sandbox: Sandbox) -> QuerySet[PrivacyJob]:
    """Return requests of persons."""
    return PrivacyJob.objects.for_sandbox(sandbox)


def list_deletions(sandbox: Sandbox) -> QuerySet[DeletionOrder]:
    """Return orders to delete."""
    return DeletionOrder.objects.for_sandbox(sandbox)


def find_retention(sandbox: Sandbox) -> RetentionSettings:
    """Return the sandbox's settings; without a row, everybody is kept."""
    row = RetentionSettings.objects.for_sandbox(sandbox).first()
    return row or RetentionSettings(sandbox=sandbox)
