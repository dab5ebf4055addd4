"""A small shop to try segments on: schemas, datasets, and records that come in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from cdp.datasets.models import Dataset
from cdp.datasets.services.datasets import create_dataset
from cdp.datasets.services.writing import write_records
from cdp.queue import drain
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.selectors import EVENT_CLASS, PROFILE_CLASS
from cdp.schemas.services.descriptors import create_descriptor
from cdp.schemas.services.schemas import create_schema, enable_for_profile
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope

XDM = "https://ns.adobe.com/xdm"
ACTOR = Actor.system("tests")


@dataclass(frozen=True, slots=True)
class Shop:
    """A sandbox with people and events in it."""

    sandbox: Sandbox
    people: Dataset
    events: Dataset

    def person(self, email: str, **fields: Any) -> None:
        """Say something about a person."""
        self._write(self.people, {"personalEmail": {"address": email}, **fields})

    def event(
        self, email: str, kind: str, at: datetime | None = None, key: str = "", **fields: Any
    ) -> None:
        """Have something happen to a person."""
        moment = at or timezone.now() - timedelta(minutes=1)
        record = {
            "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "eventType": kind,
            "identityMap": {"Email": [{"id": email, "primary": True}]},
            **fields,
        }
        self._write(self.events, {**record, **({"_id": key} if key else {})})

    def _write(self, dataset: Dataset, record: dict[str, Any]) -> None:
        with scope(self.sandbox, ACTOR):
            write_records(sandbox=self.sandbox, dataset=dataset, records=[record])
        drain()


def open_shop(sandbox: Sandbox) -> Shop:
    """Make the schemas and datasets of a shop."""
    with scope(sandbox, ACTOR):
        people = create_schema(
            actor=ACTOR, sandbox=sandbox, title="Customers", class_uri=PROFILE_CLASS,
            field_groups=[
                f"{XDM}/context/profile-person-details",
                f"{XDM}/context/profile-personal-details",
                f"{XDM}/mixins/profile/profile-loyalty-details",
            ],
        )  # fmt: skip
        create_descriptor(
            actor=ACTOR, schema=people, kind=DescriptorKind.IDENTITY,
            paths=["personalEmail.address"], namespace="Email", primary=True,
        )  # fmt: skip
        events = create_schema(
            actor=ACTOR, sandbox=sandbox, title="Web", class_uri=EVENT_CLASS,
            field_groups=[
                f"{XDM}/context/identitymap",
                f"{XDM}/context/experienceevent-commerce",
                f"{XDM}/context/experienceevent-web",
            ],
        )  # fmt: skip
        people = enable_for_profile(actor=ACTOR, schema=people)
        events = enable_for_profile(actor=ACTOR, schema=events, identity_map_primary=True)
        return Shop(
            sandbox,
            *(
                create_dataset(
                    actor=ACTOR,
                    sandbox=sandbox,
                    schema=schema,
                    name=schema.title,
                    profile_enabled=True,
                )
                for schema in (people, events)
            ),
        )
