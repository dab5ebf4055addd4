"""Time zones by their IANA name."""

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError


def validate_time_zone(name: str) -> None:
    """Raise `ValidationError` unless this machine knows the zone."""
    if name not in available_timezones():
        raise ValidationError(f"'{name}' is not a time zone; use a name such as 'Europe/Berlin'.")
