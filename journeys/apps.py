"""Wiring of journeys."""

from django.apps import AppConfig


class JourneysConfig(AppConfig):
    """Acting on people over time."""

    name = "journeys"
    label = "journeys"
