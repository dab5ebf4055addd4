"""Where one installation keeps its data, its secrets and its sockets."""

import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cdp.engines import owner
from cdp.engines.errors import EngineError

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAM_COPIES = ("postgres-programs", "redis-programs")  # notes of copies, see binaries.py
SOCKET_ROOM = 40  # a socket's path may have 103 bytes on every system we know; names need some


def data_directory() -> Path:
    """Return the folder all data live under: `CDP_DATA`, else `.data` of this checkout."""
    return Path(os.environ.get("CDP_DATA") or CHECKOUT / ".data").absolute()


@dataclass(frozen=True)
class Place:
    """A data folder, closed to everybody else, and what is found in it."""

    root: Path

    @property
    def postgres(self) -> Path:
        """PostgreSQL's cluster."""
        return self.root / "postgres"

    @property
    def user(self) -> owner.User | None:
        """Whom PostgreSQL and Redis run as, if not as ourselves."""
        return owner.engine_user(self.postgres)

    @property
    def redis(self) -> Path:
        """Redis' configuration and log; Redis keeps nothing on disk."""
        return self.root / "redis"

    @property
    def events(self) -> Path:
        """The event store's tables."""
        return self.root / "events"

    @property
    def exchange(self) -> Path:
        """Where the event store leaves and finds backups; it may write nowhere else."""
        return self.root / "exchange"

    @property
    def logs(self) -> Path:
        """What the processes say."""
        return self.root / "logs"

    def open(self) -> None:
        """Make the folder if it is missing, for its owner alone, and check that we may write."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in (self.logs, self.root / "secrets", self.root / "locks"):
                part.mkdir(mode=0o700, exist_ok=True)
        except PermissionError as error:
            raise EngineError(
                f"The data folder {self.root} belongs to somebody else ({error.strerror}). "
                "Run as the user who made it, or set CDP_DATA to a folder of your own."
            ) from error

    def secret(self, name: str) -> str:
        """Return the secret of this name, made up at its first use and kept in a 0600 file.

        Two processes may ask at once: the file appears whole under its name, and
        who comes second takes what is there.
        """
        path = self.root / "secrets" / name
        with suppress(FileNotFoundError):
            return path.read_text()
        self.open()
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{name}-")  # mode 0600
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32))
        with suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
        return path.read_text()

    def sockets(self) -> Path:
        """Return the private directory of the sockets, made anew if a reboot took it away.

        It is outside the data folder because a socket's name must be short, and
        because as root the engines' own user could not pass the folders above.
        """
        note = self.root / "sockets"
        with suppress(FileNotFoundError):
            known = Path(note.read_text())
            if owner.is_private(known, self.user):
                return known
        self.open()
        fresh = Path(tempfile.mkdtemp(prefix="cdp-", dir=_short_temporary_directory()))  # 0700
        owner.give(fresh, self.user)
        draft = note.with_name(f"sockets.{os.getpid()}")
        draft.write_text(str(fresh))
        draft.replace(note)
        return fresh

    def remove(self) -> None:
        """Remove all data and whatever of ours lies outside of the folder."""
        for note in ("sockets", *PROGRAM_COPIES):
            with suppress(FileNotFoundError):
                shutil.rmtree((self.root / note).read_text(), ignore_errors=True)
        shutil.rmtree(self.root, ignore_errors=True)


def _short_temporary_directory() -> Path:
    usual = Path(tempfile.gettempdir())
    return usual if len(os.fsencode(usual)) <= 103 - SOCKET_ROOM else Path("/tmp")  # noqa: S108 mkdtemp inside
