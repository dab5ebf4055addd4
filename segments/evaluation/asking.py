"""What is asked about a few profiles in one turn, and what comes out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cdp.tenancy.models import Sandbox
from segments.evaluation.rules import RuleBook
from segments.language.clock import Clock, to_millis


@dataclass(frozen=True, slots=True)
class Asked:
    """The rules of a sandbox, asked of some of its profiles at a moment.

    `owners` tells of each identity of theirs whose it is. Who changes until `until` is
    to be told, too.
    """

    sandbox: Sandbox
    book: RuleBook
    profiles: Sequence[int]
    owners: Mapping[int, int]
    at: datetime
    until: datetime

    @property
    def clock(self) -> Clock:
        """The moment in the sandbox's zone."""
        return self.book.clock(self.at)

    @property
    def horizon(self) -> int:
        """The end of the time that is looked ahead, in milliseconds."""
        return to_millis(self.until)


@dataclass(frozen=True, slots=True)
class Answers:
    """The segments of each profile, and the milliseconds at which those can next change.

    Of the segments `decided`, a profile is in those named and in no other.
    """

    inside: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    changes: dict[int, int] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)

    def enter(self, segment: str, profiles: Iterable[int]) -> None:
        """Note members of a segment."""
        for profile in profiles:
            self.inside[profile].add(segment)

    def change(self, profile: int, at: int) -> None:
        """Note that a profile can change at an instant; the earliest one counts."""
        self.changes[profile] = min(at, self.changes.get(profile, at))

    def members(self) -> dict[str, list[int]]:
        """Return who is in each of the segments that have been decided."""
        found: dict[str, list[int]] = {segment: [] for segment in self.decided}
        for profile, segments in self.inside.items():
            for segment in segments:
                found[segment].append(profile)
        return found
