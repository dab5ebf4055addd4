"""What lies in a folder, the same for every file system."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from fsspec import AbstractFileSystem


@dataclass(frozen=True, slots=True)
class Listed:
    """A file or folder.

    `version` differs if the content may differ; with `has_tag` the store itself has said so.
    """

    path: str
    name: str
    is_folder: bool
    size: int
    modified: datetime | None
    version: str
    has_tag: bool

    @classmethod
    def of(cls, info: dict[str, Any]) -> Self:
        """Read what a file system tells of one entry; each has names of its own."""
        path = str(info["name"])
        size = int(info.get("size") or 0)
        modified = _moment(info)
        tag = info.get("ETag") or info.get("etag") or info.get("md5Hash")
        return cls(
            path=path,
            name=path.rstrip("/").rpartition("/")[2],
            is_folder=info.get("type") == "directory",
            size=size,
            modified=modified,
            version=str(tag or f"{size}-{modified.timestamp() if modified else ''}").strip('"'),
            has_tag=bool(tag),
        )


def listed(files: AbstractFileSystem, base: str, *, recursive: bool = False) -> Iterator[Listed]:
    """Yield the entries of a folder by name; nothing if there is none."""
    if not files.isdir(base):
        return
    found = files.find(base, detail=True).values() if recursive else files.ls(base, detail=True)
    for info in sorted(found, key=lambda each: str(each["name"])):
        if info.get("type") == "other":
            continue  # a pipe or a device, which may never end, or a link to who knows what
        if str(info["name"]).rstrip("/") != base.rstrip("/"):
            yield Listed.of(info)


def _moment(info: dict[str, Any]) -> datetime | None:
    for name in ("LastModified", "mtime", "last_modified", "updated", "modified"):
        value = info.get(name)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            try:
                return datetime.fromisoformat(value)
            except ValueError:
                continue
    return None
