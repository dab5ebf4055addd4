"""Where uploaded and staged files lie: a folder or an object store, apart for each sandbox.

Names are made of our own ids alone; what a client calls its file never becomes a path.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import fsspec
from django.conf import settings

from cdp.errors import DomainError, Unavailable
from cdp.tenancy.models import Sandbox


class Folder:
    """Files below one place of a sandbox, such as those of a batch."""

    def __init__(self, sandbox: Sandbox, *parts: str) -> None:
        self._files, root = fsspec.core.url_to_fs(settings.FILES_URL, **settings.FILES_OPTIONS)
        self._root = str(PurePosixPath(root, str(sandbox.pk), *parts))

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Open a file for writing; it is there when the block has ended without an error.

        Else what was there before stays.
        """
        path = self._path(name)
        part = f"{path}.part"
        try:
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            with self._files.open(part, "wb") as file:
                yield file
            self._files.mv(part, path)
        except DomainError:
            self.remove(f"{name}.part")
            raise
        except OSError as error:
            raise Unavailable(f"The file store is away: {error.strerror or error}.") from error

    def reading(self, name: str) -> Any:
        """Open a file for reading; it can be read anywhere."""
        return self._files.open(self._path(name), "rb")

    def size(self, name: str) -> int:
        """Return a file's size in bytes."""
        return int(self._files.size(self._path(name)))

    def exists(self, name: str) -> bool:
        """Tell whether there is such a file."""
        return bool(self._files.exists(self._path(name)))

    def remove(self, name: str = "") -> None:
        """Remove a file, or everything in the folder."""
        path = self._path(name) if name else self._root
        if self._files.exists(path):
            self._files.rm(path, recursive=True)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


class Pieces(RawIOBase):
    """Several files read as one, from any position."""

    def __init__(self, folder: Folder, pieces: Iterable[tuple[str, int]]) -> None:
        self._folder = folder
        self._pieces = list(pieces)
        self._size = sum(size for _, size in self._pieces)
        self._at = 0
        self._open: tuple[int, Any] | None = None

    @classmethod
    def buffered(cls, folder: Folder, pieces: Iterable[tuple[str, int]]) -> BinaryIO:
        """Return the pieces as a file with a buffer."""
        return BufferedReader(cls(folder, pieces), 1024 * 1024)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        start = {0: 0, 1: self._at, 2: self._size}[whence]
        self._at = min(max(0, start + offset), self._size)
        return self._at

    def readinto(self, buffer: Any) -> int:
        start = 0
        for index, (name, size) in enumerate(self._pieces):
            if self._at < start + size:
                data = self._piece(index, name, self._at - start).read(
                    min(len(buffer), start + size - self._at)
                )
                buffer[: len(data)] = data
                self._at += len(data)
                return len(data)
            start += size
        return 0

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None
        super().close()

    def _piece(self, index: int, name: str, at: int) -> Any:
        if self._open is None or self._open[0] != index:
            if self._open is not None:
                self._open[1].close()
            self._open = index, self._folder.reading(name)
        file = self._open[1]
        if file.tell() != at:
            file.seek(at)
        return file
