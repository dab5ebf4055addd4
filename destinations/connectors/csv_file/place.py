"""Where files may be written.

On the machine's own disk only inside the sandbox's export folder, which no name in a
setting can leave; elsewhere where fsspec has a file system that the installation allows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import fsspec
from django.conf import settings
from fsspec import AbstractFileSystem

LOCAL: Final = "file"
OPTIONS: Final = frozenset({"key", "secret", "token"})  # no endpoint: that would lead anywhere


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of a file system."""

    files: AbstractFileSystem
    folder: str

    def path(self, name: str) -> str:
        """Return the path of a file in the folder."""
        return f"{self.folder}/{name}"


def split_url(url: str) -> tuple[str, str]:
    """Return protocol and folder of a URL. Raises `ValueError` with what to write instead.

    >>> split_url("file:///newsletter/daily")
    ('file', 'newsletter/daily')
    """
    protocol, separator, rest = url.partition("://")
    if not separator or "::" in url:
        raise ValueError("Give a URL such as file:///newsletter or s3://bucket/newsletter.")
    if protocol not in settings.EXPORT_PROTOCOLS:
        allowed = ", ".join(settings.EXPORT_PROTOCOLS)
        raise ValueError(f"This installation writes files by {allowed}, not by {protocol}.")
    parts = [part for part in rest.split("/") if part]
    if not all(_is_plain(part) for part in parts):
        raise ValueError("Use letters, digits, '.', '-' and '_' in the folder, and no '..'.")
    if protocol != LOCAL and not parts:
        raise ValueError(f"Name a bucket: {protocol}://bucket/folder.")
    return protocol, "/".join(parts)


def open_place(url: str, options: Mapping[str, Any], own_folder: str) -> Place:
    """Return the folder that a URL names; a local one lies inside `own_folder`."""
    protocol, folder = split_url(url)
    if protocol == LOCAL:
        root = settings.EXPORT_DIR.resolve() / own_folder / folder
        return Place(fsspec.filesystem(LOCAL, auto_mkdir=True), str(root))
    # A file system is otherwise kept for ever, with the secrets it was made with.
    return Place(fsspec.filesystem(protocol, skip_instance_cache=True, **options), folder)


def _is_plain(part: str) -> bool:
    return part.replace(".", "").replace("-", "").replace("_", "").isalnum() and part.isascii()
