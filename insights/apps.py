"""Wiring of insights."""

from django.apps import AppConfig


class InsightsConfig(AppConfig):
    """SQL, derived datasets and dashboards."""

    name = "insights"
    label = "insights"
