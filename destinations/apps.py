"""Wiring of destinations."""

from django.apps import AppConfig


class DestinationsConfig(AppConfig):
    """Sending people and segments out."""

    name = "destinations"
    label = "destinations"
