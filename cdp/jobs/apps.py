"""Wiring of jobs."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Long work that reports progress and can be cancelled."""

    name = "cdp.jobs"
    label = "jobs"
