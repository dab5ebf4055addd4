"""Wiring of governance."""

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    """Whether data may be used: labels, policies, consent."""

    name = "governance"
    label = "governance"
