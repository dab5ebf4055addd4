"""Wiring of profiles."""

from django.apps import AppConfig


class ProfilesConfig(AppConfig):
    """People: identities, fragments and the merged view."""

    name = "profiles"
    label = "profiles"
