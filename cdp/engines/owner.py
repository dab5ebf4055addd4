"""Which user the engines run as.

PostgreSQL refuses to run as root. Started by root, PostgreSQL and Redis therefore
run as a user that exists already, and no directory that was there before changes
its mode: a process inherits its working directory, which needs no way through the
folders above, and may call it `/proc/self/cwd`.
"""

import os
import pwd
import stat
from pathlib import Path
from typing import NamedTuple

from cdp.engines.errors import EngineError

CANDIDATES = ("postgres", "nobody", "daemon")


class User(NamedTuple):
    """Whom to become before an engine starts."""

    uid: int
    gid: int


def engine_user(cluster: Path) -> User | None:
    """Return the user for the engines of this cluster, or None to stay who we are.

    A cluster that exists is run by the user who owns it.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (facts := cluster.stat()).st_uid:
        return User(facts.st_uid, facts.st_gid)
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    wanted = (os.environ.get("SUDO_USER", ""), *CANDIDATES)
    for entry in (known[name] for name in wanted if name in known):
        if entry.pw_uid:
            return User(entry.pw_uid, entry.pw_gid)
    raise EngineError(
        "PostgreSQL does not run as root, and this machine has none of the users "
        f"{', '.join(CANDIDATES)}. Run as an ordinary user, or set DATABASE_URL."
    )


def give(path: Path, user: User | None) -> None:
    """Hand what we have just made to the user the engines run as."""
    if user:
        os.chown(path, user.uid, user.gid)


def become(user: User | None, directory: Path) -> None:
    """Enter `directory` and become the engines' user, for good."""
    os.chdir(directory)
    if user:
        os.setgroups([])
        os.setgid(user.gid)
        os.setuid(user.uid)


def working_directory(directory: Path, user: User | None) -> str:
    """Return how a process whose working directory this is may call it."""
    return "/proc/self/cwd" if user else str(directory)


def is_private(directory: Path, user: User | None) -> bool:
    """Tell whether this is a directory of ours that nobody else may enter."""
    try:
        facts = directory.lstat()
    except FileNotFoundError:
        return False
    ours = user.uid if user else os.geteuid()
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == ours and not facts.st_mode & 0o077


def can_everybody_read(path: Path) -> bool:
    """Tell whether any user can reach and read what is at this path."""
    if not path.stat().st_mode & stat.S_IROTH:
        return False
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)
