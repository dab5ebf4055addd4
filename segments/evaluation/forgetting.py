"""Taking a deleted segment off the profiles that were ever in it.

Nothing is built on a segment that may be deleted, so nobody is told: its name is
removed, slice by slice, and the event store's log says that everybody has left.
"""

from typing import Final
from uuid import UUID, uuid5

from django.db import connection
from django.utils import timezone

from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from segments.evaluation import log
from segments.evaluation.turns import next_turn, take_turn

PROFILES_A_SLICE: Final = 10_000
_ACTOR: Final = Actor.system("segments.forget")
_NAMES: Final = UUID("7c3f2f0e-5d0a-4a5e-9a52-3c1a4d6b8e10")

_SLICE: Final = """
SELECT id FROM profiles_profile WHERE sandbox_id = %s AND id > %s ORDER BY id LIMIT %s
"""
_FORGET: Final = """
UPDATE profiles_profile SET segments = segments - %s
WHERE sandbox_id = %s AND id = ANY(%s) AND jsonb_exists(segments, %s)
"""


def forget_segment(sandbox: Sandbox, segment: str) -> None:
    """Remove a segment from every profile; doing it again changes nothing."""
    after = 0
    while profiles := _forget_slice(sandbox, segment, after):
        after = profiles[-1]
    with scope(sandbox, _ACTOR):
        take_turn(sandbox)
        log.write_everybody_left(
            sandbox, uuid5(_NAMES, segment), next_turn(), timezone.now(), segment
        )


def _forget_slice(sandbox: Sandbox, segment: str, after: int) -> list[int]:
    with scope(sandbox, _ACTOR), connection.cursor() as cursor:
        take_turn(sandbox)
        cursor.execute(_SLICE, [sandbox.pk, after, PROFILES_A_SLICE])
        profiles = [profile for (profile,) in cursor.fetchall()]
        cursor.execute(_FORGET, [segment, sandbox.pk, profiles, segment])
    return profiles
