"""Good rows of a batch, written in chunks that the ingest worker takes one by one."""

import zlib
from collections.abc import Iterator
from typing import Any, Final

import orjson

from cdp.datasets.files.storage import Folder

CHUNK_ROWS: Final = 5_000
_FOLDER: Final = "chunks"
_LEVEL: Final = 1


def chunk_name(number: int) -> str:
    """Return the name of a chunk."""
    return f"{_FOLDER}/{number:06d}.jsonl.z"


def read_chunk(folder: Folder, number: int) -> Iterator[dict[str, Any]]:
    """Yield the records of a chunk."""
    with folder.reading(chunk_name(number)) as file:
        text = zlib.decompress(file.read())
    yield from map(orjson.loads, text.splitlines())


class ChunkWriter:
    """Collects records and writes a chunk whenever one is full."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._lines: list[bytes] = []
        self.sizes: list[int] = []
        folder.remove(_FOLDER)  # what a try before this one has left

    def add(self, record: dict[str, Any]) -> bool:
        """Add a record; tell whether a chunk has been written."""
        self._lines.append(orjson.dumps(record))
        if len(self._lines) < CHUNK_ROWS:
            return False
        self.close()
        return True

    def close(self) -> None:
        """Write what is left."""
        if self._lines:
            with self._folder.writing(chunk_name(len(self.sizes))) as file:
                file.write(zlib.compress(b"\n".join(self._lines), _LEVEL))
            self.sizes.append(len(self._lines))
            self._lines = []
