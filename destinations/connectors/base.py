"""What a connector is: settings in, changes of membership out.

A connector sends one batch and says how it went. Everything around that is the same
for all of them and lives in `destinations.services`: rows before anything is sent,
retries with back-off, pauses, counts, the question to governance.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from cdp.outgoing.accounts import Configurable


class Mode(StrEnum):
    """How changes reach the destination."""

    STREAMING = "streaming"  # each batch at once
    FILE = "file"  # what collects in a window goes into one file


@dataclass(frozen=True, slots=True)
class Change:
    """One profile that entered or left a segment, with what is sent about it.

    `sequence` grows: of two changes of one profile the larger came later.
    """

    id: str
    sequence: int
    profile_id: str
    entered: bool
    at: datetime
    attributes: Mapping[str, Any]
    identities: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes of one segment that go out together.

    `id` stays the same however often the batch is sent, so that a receiver can tell.
    `changes` may be read once only; `targets` are the names that the mapping gives.
    """

    id: str
    activation_id: str
    segment_id: str
    segment_name: str
    started_at: datetime
    targets: tuple[str, ...]
    changes: Iterable[Change]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a destination has taken."""

    delivered: int
    reference: str = ""


class DeliveryError(Exception):
    """The destination did not take the batch.

    `permanent` says that the same batch would be refused again; `gone` that the
    destination wants nothing more, ever; `retry_after` what it asks us to wait.
    """

    def __init__(
        self,
        detail: str,
        *,
        permanent: bool = False,
        gone: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent or gone
        self.gone = gone
        self.retry_after = retry_after


class Connector(Configurable, ABC):
    """One kind of destination.

    `settings_schema` is a JSON Schema; what it marks `writeOnly` is kept encrypted and
    never shown. Make a new kind as a folder beside the others and register it in
    `destinations/apps.py`.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    category: ClassVar[str]
    mode: ClassVar[Mode]

    @classmethod
    def make_secrets(cls) -> dict[str, Any]:
        """Return the secrets that we make where the owner gives none."""
        return {}

    @property
    def batch_size(self) -> int:
        """How many changes one batch may hold."""
        return 1

    @property
    def window(self) -> timedelta:
        """How long changes collect before they go out together, for files."""
        return timedelta(0)

    @abstractmethod
    def test(self) -> str:
        """Try the connection and say what was found. Raises `DeliveryError`."""

    @abstractmethod
    def deliver(self, batch: Batch) -> Receipt:
        """Send a batch. Raises `DeliveryError`; of anything else we are at fault."""

    def forget(self, reference: str, profiles: Collection[str]) -> int:
        """Take profiles out of what a run has left behind; return how many lines went.

        For kinds that keep files. `reference` is of the run's receipt. What is there no
        more needs no forgetting. Raises `DeliveryError`.
        """
        return 0
