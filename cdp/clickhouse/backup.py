"""Back up both stores as they are at one instant, and restore them.

The two have no common transaction, and copied one after the other they would
disagree: events that PostgreSQL has let go of and the copy of the event store does
not have yet would be lost; events that the copy has and PostgreSQL does not know of
would be counted twice. So neither comes first. Every write into the event store
passes a gate (`gate.py`); the backup closes it for the moment in which PostgreSQL's
snapshot is taken and the tables are cloned, a fraction of a second, and copies
both afterwards while work goes on. Doors are not held up: they write into
PostgreSQL alone.

What was under way then is open in PostgreSQL, and may or may not have reached the
event store. A restored store has forgotten its deduplication tokens, so before
anything runs the rows of open units are deleted (`unfinished.py`); each unit then
finishes as after a crash, and nothing counts twice.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection

from cdp.clickhouse import snapshot
from cdp.clickhouse.errors import StoreRefused
from cdp.clickhouse.gate import GATE
from cdp.clickhouse.unfinished import remove_unfinished
from cdp.engines import backup as postgres
from cdp.engines.place import Place

FORM = 1
DUMP, TABLES, MANIFEST = "postgres.dump", "events", "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a backup holds."""

    form: int
    name: str
    taken_at: str
    rows: dict[str, int]


def back_up(directory: Path) -> Manifest:
    """Write both stores into a new directory, which appears under its name when it is whole."""
    directory = directory.absolute()
    if directory.exists():
        raise StoreRefused(f"{directory} exists already; a backup goes into a new directory.")
    draft = directory.with_name(f"{directory.name}.partial")
    draft.mkdir(mode=0o700, parents=True)
    taken_at = datetime.now(UTC)
    name = taken_at.strftime("cdp-%Y%m%d-%H%M%S-%f")
    place, url = _postgres()
    try:
        with postgres.instant(url, GATE) as instant:
            snapshot.freeze()
            instant.open_gate()
            (draft / DUMP).touch(mode=0o600)
            postgres.dump(url, instant.snapshot, draft / DUMP, place)
        rows = snapshot.save(name, draft / TABLES)
    finally:
        snapshot.thaw()
    manifest = Manifest(FORM, name, taken_at.isoformat(), rows)
    (draft / MANIFEST).touch(mode=0o600)
    (draft / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
    draft.rename(directory)
    return manifest


def restore(directory: Path) -> tuple[Manifest, dict[str, int]]:
    """Put a backup in the place of both stores; return it and the units that were under way.

    The web server and the workers must be stopped; `EngineError` says so if not.
    Caches and wake-ups in Redis are of another time and are dropped.
    """
    manifest = read_manifest(directory)
    place, url = _postgres()
    connection.close()
    postgres.restore(url, directory / DUMP, place)
    rows = snapshot.load(manifest.name, directory / TABLES)
    if rows != manifest.rows:
        raise StoreRefused(f"The event store has {rows} after the restore, not {manifest.rows}.")
    open_units = remove_unfinished()
    with redis.Redis.from_url(settings.REDIS_URL) as cache:
        cache.flushdb()
    return manifest, open_units


def read_manifest(directory: Path) -> Manifest:
    """Return what a backup says of itself. Raises `StoreRefused` if it is none of ours."""
    try:
        manifest = Manifest(**json.loads((directory / MANIFEST).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise StoreRefused(f"{directory} is no backup: {error}") from error
    if manifest.form != FORM:
        raise StoreRefused(f"{directory} is a backup of form {manifest.form}; this reads {FORM}.")
    return manifest


def _postgres() -> tuple[Place, str]:
    place = Place(Path(settings.DATA_DIR))
    return place, postgres.backup_url(place, connection.settings_dict["NAME"])
