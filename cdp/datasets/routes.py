"""Routes: which datasets an inlet writes to, and which of them a record means."""

from dataclasses import dataclass
from typing import Any

from cdp.datasets.enums import Behavior
from cdp.datasets.errors import MessageInvalid
from cdp.errors import FieldError


@dataclass(frozen=True, slots=True)
class Route:
    """One dataset that an inlet may write to, and the ids that its schema goes by."""

    dataset_id: str
    behavior: str
    schema_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Routes:
    """All datasets of an inlet, the preferred ones first."""

    all: tuple[Route, ...]

    def first(self, behavior: str) -> Route | None:
        """Return the dataset that takes rows of this kind, if there is one."""
        return next((route for route in self.all if route.behavior == behavior), None)

    def named(self, dataset_id: str, schema_id: str) -> Route:
        """Return the dataset that a message names, by its own id or by its schema's.

        A message that names none goes to the only dataset. Raises `MessageInvalid`.
        """
        fitting = [
            route
            for route in self.all
            if (not dataset_id or route.dataset_id == dataset_id)
            and (not schema_id or schema_id in route.schema_ids)
        ]
        if len(fitting) == 1:
            return fitting[0]
        raise MessageInvalid(self._why_not(dataset_id, schema_id), errors=[_AT_DATASET])

    def _why_not(self, dataset_id: str, schema_id: str) -> str:
        if dataset_id and all(route.dataset_id != dataset_id for route in self.all):
            return f"This inlet does not write to a dataset '{dataset_id}'."
        if dataset_id:
            return f"Dataset '{dataset_id}' is not of the schema '{schema_id}'."
        if schema_id:
            return f"No single dataset of this inlet is of the schema '{schema_id}'."
        return "This inlet writes to several datasets. Say which in header.datasetId."


@dataclass(frozen=True, slots=True)
class Forwarding:
    """A rule that sends on, and the topic of the queue for its kind."""

    rule_id: str
    topic: str


@dataclass(frozen=True, slots=True)
class InletFacts:
    """What a door and the ingest worker must know of an inlet.

    `forwarded_to` are the forwarding rules that want what it takes.
    """

    door: str
    enabled: bool
    requires_key: bool
    settings: dict[str, Any]
    routes: Routes
    forwarded_to: tuple[Forwarding, ...] = ()

    @property
    def events(self) -> Route | None:
        """Return the dataset that events go to."""
        return self.routes.first(Behavior.TIME_SERIES)

    @property
    def attributes(self) -> Route | None:
        """Return the dataset that attributes of people go to."""
        return self.routes.first(Behavior.RECORD)


_AT_DATASET: FieldError = {
    "path": "header.datasetId",
    "code": "unknown_dataset",
    "detail": "Name one of the inlet's datasets.",
}
