"""Wiring of segments."""

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    """Which people: rules and their members."""

    name = "segments"
    label = "segments"
