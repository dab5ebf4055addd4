"""Making, changing and deleting inlets."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import IntegrityError, transaction

from cdp.datasets.addresses import new_inlet_id
from cdp.datasets.enums import Door
from cdp.datasets.models import Dataset, Inlet, InletDataset
from cdp.datasets.segment.checks import (
    Check,
    check_edge_settings,
    check_settings,
    no_settings,
)
from cdp.errors import FieldError, Invalid
from cdp.schemas.selectors import compiled_schemas
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.errors import NameTaken
from cdp.tenancy.models import Sandbox

_CHECKS: Final[dict[Door, Check]] = {
    Door.XDM: no_settings,
    Door.SEGMENT: check_settings,
    Door.EDGE: check_edge_settings,
}


def create_inlet(
    *,
    actor: Actor,
    sandbox: Sandbox,
    name: str,
    door: str,
    datasets: Sequence[Dataset],
    requires_key: bool | None = None,
    settings: dict[str, Any] | None = None,
) -> Inlet:
    """Make an inlet that writes to these datasets, the preferred ones first.

    It takes nothing until it has a write key, unless it wants none; the Web SDK has
    none to send. Raises `NameTaken` or `Invalid`.
    """
    if requires_key is None:
        requires_key = door != Door.EDGE
    inlet = Inlet(
        id=new_inlet_id(sandbox.pk),
        sandbox=sandbox,
        name=name,
        door=door,
        requires_key=requires_key,
        settings=settings or {},
    )
    _complete_settings(inlet)
    clean(inlet)
    _check_settings(inlet, datasets)
    _save(inlet, force_insert=True)
    _route(inlet, datasets)
    audit.record(
        actor=actor,
        action="inlet.created",
        target=inlet,
        after={
            "name": name,
            "door": door,
            "datasets": [dataset.pk for dataset in datasets],
            "requires_key": requires_key,
        },
    )
    return inlet


def change_inlet(
    *, actor: Actor, inlet: Inlet, datasets: Sequence[Dataset] | None = None, **changes: Any
) -> Inlet:
    """Change an inlet; the doors notice within a second. Its door never changes."""
    before: dict[str, Any] = {field: getattr(inlet, field) for field in changes}
    for field, value in changes.items():
        setattr(inlet, field, value)
    _complete_settings(inlet)
    clean(inlet)
    _check_settings(inlet, inlet.datasets.all() if datasets is None else datasets)
    _save(inlet)
    after = dict(changes)
    if datasets is not None:
        before["datasets"] = [route.dataset_id for route in inlet.routes.all()]
        after["datasets"] = [dataset.pk for dataset in datasets]
        InletDataset.objects.for_sandbox(inlet.sandbox_id).filter(inlet=inlet).delete()
        _route(inlet, datasets)
        inlet.refresh_from_db()  # forgets the routes that were read before
    audit.record(actor=actor, action="inlet.changed", target=inlet, before=before, after=after)
    return inlet


def delete_inlet(*, actor: Actor, inlet: Inlet) -> None:
    """Delete an inlet; what it has taken is worked on, what comes later is refused."""
    audit.record(actor=actor, action="inlet.deleted", target=inlet)
    inlet.delete()


def _route(inlet: Inlet, datasets: Sequence[Dataset]) -> None:
    if not datasets:
        raise _invalid("An inlet writes to at least one dataset.")
    if len({dataset.pk for dataset in datasets}) < len(datasets):
        raise _invalid("A dataset is named twice.")
    if any(dataset.system for dataset in datasets):
        raise _invalid("A dataset of the platform itself takes nothing from outside.")
    InletDataset.objects.for_sandbox(inlet.sandbox_id).bulk_create(
        InletDataset(sandbox_id=inlet.sandbox_id, inlet=inlet, dataset=dataset, position=position)
        for position, dataset in enumerate(datasets)
    )


def _complete_settings(inlet: Inlet) -> None:
    """Give an inlet of the Web SDK the organization's name that its cookies carry."""
    if inlet.door == Door.EDGE:
        tenant = inlet.sandbox.organization.tenant_namespace
        inlet.settings = {"org_id": f"{tenant.upper()}@CdpOrg", **inlet.settings}


def _check_settings(inlet: Inlet, datasets: Iterable[Dataset]) -> None:
    """Refuse a mapping that could not be applied to any of the datasets' schemas."""
    schemas = compiled_schemas(inlet.sandbox, {dataset.schema_id for dataset in datasets})
    check = _CHECKS[Door(inlet.door)]
    errors = check(inlet.settings, [schema.fields for schema in schemas.values()])
    if errors:
        raise Invalid("The settings cannot be used; see `errors`.", errors=errors)


def _save(inlet: Inlet, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            inlet.save(force_insert=force_insert)
    except IntegrityError as error:
        raise NameTaken(f"There is an inlet '{inlet.name}' already.") from error


def _invalid(detail: str) -> Invalid:
    error: FieldError = {"path": "datasets", "code": "invalid", "detail": detail}
    return Invalid(detail, errors=[error])
