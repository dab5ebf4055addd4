"""Topics of the durable queue that this app speaks on."""

from typing import Final

PROFILES_CHANGED: Final = "profiles.changed"
"""Payload: `profiles`, the ids that changed; `vanished`, pairs of a merged id and its survivor."""
