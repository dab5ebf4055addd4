"""Good rows of a batch, written in chunks that the ingest worker takes one by one.

Events of one person are put into the same chunks, as far as memory allows: a person is
then looked up, stitched and evaluated a few times a batch instead of once an event.
"""

import gzip
from collections.abc import Iterator
from typing import Any, Final
from zlib import crc32

import orjson

from cdp.datasets.files.storage import Folder

CHUNK_ROWS: Final = 10_000
CHUNK_BYTES: Final = 16 * 1024 * 1024
SHELVES: Final = 64
MOST_HELD: Final = 48 * 1024 * 1024
_FOLDER: Final = "chunks"
_WEIGHTS: Final = f"{_FOLDER}/weights.json"
_LEVEL: Final = 1
_BLOCK: Final = 64 * 1024


def chunk_name(number: int) -> str:
    """Return the name of a chunk."""
    return f"{_FOLDER}/{number:06d}.jsonl.gz"


def weights_of(folder: Folder, chunks: int) -> list[int]:
    """Return for how many rows each chunk counts: for its own, or more if they are large.

    As many as it may have where that cannot be read.
    """
    try:
        with folder.reading(_WEIGHTS) as file:
            weights: list[int] = orjson.loads(file.read())
    except OSError:
        return [CHUNK_ROWS] * chunks
    return weights


def read_chunk(folder: Folder, number: int) -> Iterator[dict[str, Any]]:
    """Yield the records of a chunk."""
    with folder.reading(chunk_name(number)) as file:
        text = gzip.decompress(file.read())
    yield from map(orjson.loads, text.splitlines())


class Shelf:
    """Rows that will go into a chunk together, packed as they come."""

    def __init__(self) -> None:
        self.rows = self.size = self.packed_size = 0
        self._packed: list[bytes] = []
        self._lines: list[bytes] = []
        self._loose = 0

    @property
    def is_full(self) -> bool:
        """Tell whether one more row would be too many."""
        return self.rows >= CHUNK_ROWS or self.size >= CHUNK_BYTES

    def add(self, line: bytes) -> int:
        """Put a row behind the others; return how many bytes have been packed because of it."""
        self._lines.append(line)
        self.rows += 1
        self.size += len(line)
        self._loose += len(line)
        return self._pack() if self._loose >= _BLOCK else 0

    def packed(self) -> bytes:
        """Return all rows: JSON lines in gzip, in several members."""
        self._pack()
        return b"".join(self._packed)

    def _pack(self) -> int:
        if not self._lines:
            return 0
        member = gzip.compress(b"".join(self._lines), _LEVEL)
        self._packed.append(member)
        self.packed_size += len(member)
        self._lines, self._loose = [], 0
        return len(member)


class ChunkWriter:
    """Collects records on shelves and writes a chunk whenever a shelf is full.

    Records with one `key` keep their order.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._shelves = [Shelf() for _ in range(SHELVES)]
        self._held = 0
        self._weights: list[int] = []
        self.sizes: list[int] = []
        folder.remove(_FOLDER)  # what a try before this one has left

    def add(self, record: dict[str, Any], key: str = "") -> None:
        """Add a record."""
        place = crc32(key.encode("utf-8", "surrogatepass")) % SHELVES
        shelf = self._shelves[place]
        self._held += shelf.add(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        if shelf.is_full:
            self._empty(place)
        elif self._held > MOST_HELD:
            self._empty(max(range(SHELVES), key=lambda at: self._shelves[at].packed_size))

    def close(self) -> None:
        """Write what is left, the rests of several shelves in one chunk, and what each weighs."""
        together: list[Shelf] = []
        for shelf in self._shelves:
            rows = sum(one.rows for one in together) + shelf.rows
            if rows > CHUNK_ROWS or sum(one.size for one in together) + shelf.size > CHUNK_BYTES:
                self._write(together)
                together = []
            together.append(shelf)
        self._write(together)
        self._shelves, self._held = [Shelf() for _ in range(SHELVES)], 0
        if self.sizes:
            with self._folder.writing(_WEIGHTS) as file:
                file.write(orjson.dumps(self._weights))

    def _empty(self, place: int) -> None:
        shelf, self._shelves[place] = self._shelves[place], Shelf()
        self._held -= shelf.packed_size
        self._write([shelf])

    def _write(self, shelves: list[Shelf]) -> None:
        rows = sum(shelf.rows for shelf in shelves)
        if rows:
            with self._folder.writing(chunk_name(len(self.sizes))) as file:
                for shelf in shelves:
                    file.write(shelf.packed())
            self.sizes.append(rows)
            size = sum(shelf.size for shelf in shelves)
            self._weights.append(max(rows, size * CHUNK_ROWS // CHUNK_BYTES))
