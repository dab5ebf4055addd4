"""Which rows are new: how far a source has been read, and who stood at that point. Pure.

A source is asked for rows *from* its mark on and not only behind it. Rows that share
the mark's value may have been written after the last reading, and some systems write
whole seconds. Those that have landed are told by a hash of their content.
"""

from base64 import b64decode, b64encode
from collections import Counter
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final

MOST_REMEMBERED: Final = 100_000
_BYTES: Final = 8


class Mark:
    """What one reading knows of the readings before it, and learns for the next.

    `newest` is the newest value that has landed, `seen` are the rows that stood there. With
    an `overlap`, rows that are so much older are asked for again, for sources whose rows
    appear later than they are dated. Where more rows stand than can be remembered, one
    statement has written them, so they came together: what is not `behind` them has landed.
    `in_order` is for a source that cuts and sorts by itself, maybe not as we would: by the
    rules of some language.
    """

    def __init__(
        self,
        newest: Any = None,
        seen: str = "",
        behind: Any = None,
        *,
        overlap: timedelta = timedelta(0),
        in_order: bool = False,
    ) -> None:
        self._overlap, self._in_order = overlap, in_order
        self._landed: Counter[bytes] = Counter(_unpacked(seen))
        self._recent: list[tuple[Any, bytes]] = []
        self.newest, self.behind = newest, behind
        self.start = self._floor(newest)
        self._next_behind = behind

    def is_new(self, value: Any, line: bytes) -> bool:
        """Note a row of the source and tell whether it is to be taken.

        A row without a value cannot be placed and is taken always.
        """
        if value is None:
            return True
        if not self._in_order and self._has_passed(value):
            return False
        key = blake2b(line, digest_size=_BYTES).digest()
        self._note(value, key)
        if not self._landed[key]:
            return True
        self._landed[key] -= 1
        return False

    def next(self) -> tuple[Any, str, Any]:
        """Return what the next reading begins with: newest, seen and behind."""
        self._prune()
        seen = b64encode(b"".join(sorted(key for _, key in self._recent))).decode()
        return self.newest, seen, self._next_behind

    def _has_passed(self, value: Any) -> bool:
        if self.behind is not None and value <= self.behind:
            return True
        return self.start is not None and bool(value < self.start)

    def _note(self, value: Any, key: bytes) -> None:
        if self._is_newer(value):
            self.newest = value
            if not self._overlap:
                self._recent = []
        if not self._is_recent(value):
            return
        self._recent.append((value, key))
        if len(self._recent) > 2 * MOST_REMEMBERED:
            self._prune()

    def _prune(self) -> None:
        self._recent = [each for each in self._recent if self._is_recent(each[0])]
        if len(self._recent) > MOST_REMEMBERED:
            self._recent, self._next_behind = [], self.newest

    def _is_newer(self, value: Any) -> bool:
        if self.newest is None:
            return True
        return bool(value != self.newest if self._in_order else value > self.newest)

    def _is_recent(self, value: Any) -> bool:
        if self._in_order:
            return bool(value == self.newest and value != self._next_behind)
        if self._next_behind is not None and value <= self._next_behind:
            return False
        return bool(value >= self._floor(self.newest))

    def _floor(self, value: Any) -> Any:
        return value - self._overlap if self._overlap and value is not None else value


def _unpacked(seen: str) -> list[bytes]:
    whole = b64decode(seen)
    return [whole[at : at + _BYTES] for at in range(0, len(whole), _BYTES)]
