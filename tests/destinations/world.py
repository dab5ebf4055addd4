"""People, segments and destinations for tests; the news that somebody entered or left."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cdp.datasets.models import Dataset
from cdp.datasets.services.datasets import create_dataset
from cdp.queue import drain, publish
from cdp.schemas.models import Schema
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.selectors import EVENT_CLASS, PROFILE_CLASS
from cdp.schemas.services.descriptors import create_descriptor
from cdp.schemas.services.schemas import create_schema, enable_for_profile
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox
from cdp.tenancy.scope import scope
from destinations.models import Activation, ActivationRun, Delivery, DestinationConnection
from destinations.services.activations import create_activation
from destinations.services.connections import create_connection
from destinations.topics import DELIVERIES_DUE, FILES_DUE
from profiles.models import Fragment, Identity, Profile
from segments.enums import SegmentState
from segments.models import Segment
from segments.topics import MEMBERSHIPS_CHANGED

ACTOR = Actor.system("tests")
TOPICS = (MEMBERSHIPS_CHANGED, DELIVERIES_DUE, FILES_DUE)
XDM = "https://ns.adobe.com/xdm"
MAPPING = (
    {"attribute": "person.name.firstName", "target": "first_name"},
    {"identity": "Email", "target": "email"},
)


def make_customers(sandbox: Sandbox, name: str = "Customers", **values: Any) -> Dataset:
    """Make a dataset of people, whose e-mail address is their identity."""
    with scope(sandbox, ACTOR):
        schema = create_schema(
            actor=ACTOR,
            sandbox=sandbox,
            title=name,
            class_uri=PROFILE_CLASS,
            field_groups=[
                f"{XDM}/context/profile-person-details",
                f"{XDM}/context/profile-personal-details",
            ],
        )
        create_descriptor(
            actor=ACTOR,
            schema=schema,
            kind=DescriptorKind.IDENTITY,
            paths=["personalEmail.address"],
            namespace="Email",
            primary=True,
        )
        return _dataset(sandbox, enable_for_profile(actor=ACTOR, schema=schema), **values)


def make_events(sandbox: Sandbox, name: str = "Web", **values: Any) -> Dataset:
    """Make a dataset of what people do."""
    with scope(sandbox, ACTOR):
        schema = create_schema(
            actor=ACTOR,
            sandbox=sandbox,
            title=name,
            class_uri=EVENT_CLASS,
            field_groups=[f"{XDM}/context/identitymap", f"{XDM}/context/experienceevent-web"],
        )
        enabled = enable_for_profile(actor=ACTOR, schema=schema, identity_map_primary=True)
        return _dataset(sandbox, enabled, **values)


def _dataset(sandbox: Sandbox, schema: Schema, **values: Any) -> Dataset:
    made = create_dataset(
        actor=ACTOR, sandbox=sandbox, schema=schema, name=schema.title, profile_enabled=True
    )
    for field, value in values.items():
        setattr(made, field, value)
    made.save()
    return made


def label_field(schema: Schema, path: str, *labels: str) -> None:
    """Put labels on a field of a schema."""
    with scope(schema.sandbox, ACTOR):
        create_descriptor(
            actor=ACTOR,
            schema=schema,
            kind=DescriptorKind.LABEL,
            paths=[path],
            labels=list(labels),
        )


def make_person(sandbox: Sandbox, first_name: str = "Sarah") -> Profile:
    """Make a profile with a first name and an e-mail address, as ingestion leaves it."""
    now = timezone.now()
    with scope(sandbox, ACTOR):
        profile = Profile.objects.create(sandbox=sandbox, founder=0, created_at=now)
        identity = Identity.objects.create(
            sandbox=sandbox,
            namespace="Email",
            value=f"{first_name.lower()}{profile.pk}@luma.example",
            profile=profile,
            founded=profile.pk,
            created_at=now,
        )
        profile.founder, profile.members = identity.pk, [identity.pk]
        profile.save()
        Fragment.objects.create(
            sandbox=sandbox,
            identity=identity,
            dataset_id="ds_crm",
            document={"person": {"name": {"firstName": first_name}}},
            taken_at=now,
        )
    return profile


def make_segment(sandbox: Sandbox, name: str = "Runners", **values: Any) -> Segment:
    """Make a published segment of people called Sarah, unless its rule says otherwise.

    As if it had been evaluated when there was nobody.
    """
    rule = {
        "type": "compare",
        "operator": "=",
        "left": {"field": "person.name.firstName"},
        "right": "Sarah",
    }
    with scope(sandbox, ACTOR):
        return Segment.objects.create(
            sandbox=sandbox,
            name=name,
            state=SegmentState.PUBLISHED,
            evaluated_at=timezone.now(),
            **{"rule": rule, **values},
        )


def make_webhook(sandbox: Sandbox, url: str, **values: Any) -> DestinationConnection:
    """Make a connection to a webhook."""
    settings = {"url": url, **values.pop("settings", {})}
    return _connection(sandbox, kind="webhook", settings=settings, **values)


def make_folder(sandbox: Sandbox, **values: Any) -> DestinationConnection:
    """Make a connection to CSV files in the folder `news`."""
    settings = {"url": "file:///news", "window_seconds": 60, **values.pop("settings", {})}
    return _connection(sandbox, kind="csv_file", settings=settings, **values)


def _connection(sandbox: Sandbox, **values: Any) -> DestinationConnection:
    given = {"name": f"Receiver {uuid4()}", "marketing_actions": ["emailTargeting"], **values}
    with scope(sandbox, ACTOR):
        made, _ = create_connection(sandbox=sandbox, actor=ACTOR, **given)
    return made


def activate(place: DestinationConnection, segment: Segment, **values: Any) -> Activation:
    """Send a segment to a connection, with first name and e-mail address."""
    with scope(place.sandbox, ACTOR):
        return create_activation(
            sandbox=place.sandbox,
            actor=ACTOR,
            connection_id=place.pk,
            segment_id=segment.pk,
            **{"mapping": MAPPING, **values},
        )


def tell(
    segment: Segment, *, entered: Sequence[int] = (), exited: Sequence[int] = (), change: str = ""
) -> str:
    """Publish the news of an evaluation, as segments do; return its id."""
    evaluation = change or str(uuid4())
    with scope(segment.sandbox, ACTOR):
        publish(
            MEMBERSHIPS_CHANGED,
            {
                "segment": segment.pk,
                "evaluation": evaluation,
                "entered": list(entered),
                "exited": list(exited),
            },
            sandbox=segment.sandbox,
            count=len(entered) + len(exited),
        )
    return evaluation


def work(*, forgiving: bool = False, rounds: bool = True) -> int:
    """Do what is due of the work of destinations."""
    return drain(TOPICS, forgiving=forgiving, until_empty=rounds)


def deliveries(sandbox: Sandbox) -> list[Delivery]:
    """Return the deliveries of a sandbox, oldest first."""
    with scope(sandbox, ACTOR):
        return list(Delivery.objects.for_sandbox(sandbox).order_by("pk"))


def runs(sandbox: Sandbox) -> list[ActivationRun]:
    """Return the runs of a sandbox, oldest first."""
    with scope(sandbox, ACTOR):
        return list(ActivationRun.objects.for_sandbox(sandbox).order_by("pk"))


def fresh(row: Any) -> Any:
    """Return a row as it is now."""
    with scope(row.sandbox, ACTOR):
        return type(row).objects.for_sandbox(row.sandbox).get(pk=row.pk)


@contextmanager
def queries_of(tables: str) -> Iterator[list[str]]:
    """Collect the statements that name a table of that pattern."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found += [query["sql"] for query in captured if re.search(tables, query["sql"])]
