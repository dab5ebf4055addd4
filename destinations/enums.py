"""Choices of destinations."""

from django.db import models


class ConnectionState(models.TextChoices):
    """Whether a connection is used. It is stopped by its owner, or by a receiver that is gone."""

    ACTIVE = "active"
    STOPPED = "stopped"


class RunState(models.TextChoices):
    """A run collects deliveries while it is open."""

    OPEN = "open"
    CLOSED = "closed"


class DeliveryState(models.TextChoices):
    """What became of one change."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"  # given up; the error says why
    REFUSED = "refused"  # a policy did not allow it when it was due
