"""Wiring of schemas."""

from django.apps import AppConfig


class SchemasConfig(AppConfig):
    """What a record is: classes, field groups, schemas."""

    name = "cdp.schemas"
    label = "schemas"
