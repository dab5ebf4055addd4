"""What a batch says of who is who: identities, and which of them it saw together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from profiles.identity.rules import Identity


class Sighting(NamedTuple):
    """A record in which identities were seen: when, of which dataset, and in which batch of files."""

    at: int
    dataset: str
    record: str
    batch: str = ""


class Together(NamedTuple):
    """Two identities, when they were seen together, and in which records.

    `record` is the latest; `batch` the batch that all of them came in, or empty.
    """

    first: int
    last: int
    datasets: frozenset[str]
    record: str
    batch: str


@dataclass(slots=True)
class Sightings:
    """Collects the identities of records. Those seen first in time come first."""

    since: dict[Identity, int] = field(default_factory=dict)
    pairs: dict[tuple[Identity, Identity], Together] = field(default_factory=dict)

    def see(self, identities: Iterable[Identity], sighting: Sighting) -> None:
        """Note the identities of one record, each pair of them as a link."""
        at, dataset, record, batch = sighting
        since, pairs, together = self.since, self.pairs, sorted(identities)
        for identity in together:
            first = since.get(identity)
            if first is None or at < first:
                since[identity] = at
        new = Together(at, at, frozenset((dataset,)), record, batch)
        for pair in combinations(together, 2):
            before = pairs.get(pair)
            pairs[pair] = new if before is None else _joined(before, sighting)

    def identities(self) -> list[Identity]:
        """Return them by age; of one age, by what they say."""
        return [
            identity for _, identity in sorted(zip(self.since.values(), self.since, strict=True))
        ]


def _joined(before: Together, sighting: Sighting) -> Together:
    at, dataset, record, batch = sighting
    datasets = before.datasets
    return Together(
        min(at, before.first),
        max(at, before.last),
        datasets if dataset in datasets else datasets | {dataset},
        record if at >= before.last else before.record,
        batch if batch == before.batch else "",
    )
