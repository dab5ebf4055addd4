"""Which user the engines run as.

PostgreSQL refuses to run as root. Started by root, the engines therefore run as
a user that exists already, and no directory that was there before changes its
mode: a process inherits its working directory, which needs no way through the
folders above, and names it `/proc/self/cwd`.
"""

import os
import pwd
import stat
from functools import cache
from pathlib import Path

from cdp.engines.errors import EngineError

CANDIDATES = ("postgres", "nobody", "daemon")


@cache
def engine_user() -> pwd.struct_passwd | None:
    """Return the user to become before an engine starts, or None to stay who we are."""
    if os.geteuid() != 0:
        return None
    sudo = os.environ.get("SUDO_UID", "")
    wanted = [pwd.getpwuid(int(sudo))] if sudo.isdigit() and _exists(int(sudo)) else []
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    wanted += [known[name] for name in CANDIDATES if name in known]
    for entry in wanted:
        if entry.pw_uid != 0:
            return entry
    raise EngineError(
        "PostgreSQL does not run as root, and this machine has none of the users "
        f"{', '.join(CANDIDATES)}. Run as an ordinary user, or set DATABASE_URL."
    )


def give(path: Path) -> None:
    """Hand a directory that we have just made to the user the engines run as."""
    if user := engine_user():
        os.chown(path, user.pw_uid, user.pw_gid)


def become(directory: Path) -> None:
    """Enter `directory` and become the engines' user, for good."""
    os.chdir(directory)
    if user := engine_user():
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


def working_directory(directory: Path) -> str:
    """Return how a process whose working directory this is may call it."""
    return "/proc/self/cwd" if engine_user() else str(directory)


def is_private(directory: Path) -> bool:
    """Tell whether this is a directory of ours that nobody else may enter."""
    try:
        facts = directory.lstat()
    except FileNotFoundError:
        return False
    user = engine_user()
    ours = {os.geteuid()} | ({user.pw_uid} if user else set())
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid in ours and not facts.st_mode & 0o077


def can_everybody_read(path: Path) -> bool:
    """Tell whether any user can reach and read what is at this path."""
    if not path.stat().st_mode & stat.S_IROTH:
        return False
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)


def _exists(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
