"""Wiring of api."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """What every endpoint shares."""

    name = "cdp.api"
    label = "api"
