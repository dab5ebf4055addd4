"""What a decided batch still has to do, packed into one value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from lz4.frame import compress, decompress
from orjson import dumps, loads

from cdp.datasets.ingestion import Outcome

OVERRIDES: Final = "profile_overrides"
PROFILES: Final = "profiles"
EVENTS: Final = "events"
RECORDS: Final = "records"
IN_ORDER: Final = (OVERRIDES, PROFILES, EVENTS, RECORDS)
"""Who owns an event is in the store before the event is."""

_LENGTH: Final = 8


@dataclass(frozen=True, slots=True)
class Deletion:
    """Rows that go: by what they are found (`deleting.py`), and its values.

    `dataset` narrows it to one. `before` is a version, for tables that have one: what the
    same payload inserts is not of before, so doing it again takes nothing of that away.
    """

    what: str
    values: Sequence[str | int]
    dataset: str = ""
    before: int = 0


@dataclass(frozen=True, slots=True)
class Payload:
    """Lines for the event store's tables, and what to say when they are stored.

    `origins` tells for every line of events and records which record it is, so that
    one that the store refuses can be put aside with its reason. `deletions` are done
    before anything is inserted. `emptied` are profiles that may be nobody's now.
    `refined` says that computed attributes have been worked out for what changed.
    """

    lines: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    outcomes: Sequence[Outcome] = ()
    changed: Sequence[int] = ()
    vanished: Sequence[tuple[int, int]] = ()
    origins: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    deletions: Sequence[Deletion] = ()
    emptied: Sequence[int] = ()
    refined: bool = False

    def pack(self) -> bytes:
        """Return it compressed."""
        head = dumps(
            {
                "tables": {table: len(lines) for table, lines in self.lines.items()},
                "outcomes": self.outcomes,
                "changed": self.changed,
                "vanished": self.vanished,
                "origins": self.origins,
                "deletions": [
                    [one.what, list(one.values), one.dataset, one.before] for one in self.deletions
                ],
                "emptied": self.emptied,
                "refined": self.refined,
            }
        )
        body = b"".join(line for lines in self.lines.values() for line in lines)
        packed: bytes = compress(len(head).to_bytes(_LENGTH, "big") + head + body)
        return packed

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Read it back, line for line the same."""
        plain: bytes = decompress(packed)
        start = _LENGTH + int.from_bytes(plain[:_LENGTH], "big")
        head = loads(plain[_LENGTH:start])
        every = plain[start:].splitlines(keepends=True)
        lines, done = {}, 0
        for table, count in head["tables"].items():
            lines[table] = every[done : done + count]
            done += count
        return cls(
            lines=lines,
            outcomes=head["outcomes"],
            changed=head["changed"],
            vanished=[(gone, heir) for gone, heir in head["vanished"]],
            origins=head["origins"],
            deletions=[Deletion(*one) for one in head["deletions"]],
            emptied=head["emptied"],
            refined=head["refined"],
        )
