"""Making, changing and deleting activations: which segment goes where, with what."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction

from cdp.datasets.errors import FieldHidden
from cdp.errors import FieldError, Invalid
from cdp.tenancy import audit
from cdp.tenancy.actors import Actor
from cdp.tenancy.checks import clean
from cdp.tenancy.models import Sandbox
from destinations.errors import AlreadyActivated
from destinations.models import Activation
from destinations.selectors import get_connection
from destinations.services.mapping_check import mapping_errors
from destinations.uses import use_of
from governance.services.decisions import require_use
from profiles.selectors.sight import sight_of
from segments.payload import payload_fields
from segments.selectors import get_segment

DEFAULT_LENGTH: Final = timedelta(days=90)


def create_activation(
    *,
    sandbox: Sandbox,
    actor: Actor,
    connection_id: str,
    segment_id: str,
    mapping: Sequence[Mapping[str, str]] = (),
    enabled: bool = True,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Activation:
    """Send a segment to a connection from now on, or between two moments.

    With a start and no end it ends 90 days later. Raises `NotFound`, `Invalid` for a
    mapping that names what is not there, `FieldHidden` for what is kept from the actor,
    `AlreadyActivated`, and `UseRefused` if a
    policy does not allow the connection's marketing actions with what is sent.
    """
    if starts_at is not None and ends_at is None:
        ends_at = starts_at + DEFAULT_LENGTH
    activation = Activation(
        sandbox=sandbox,
        connection=get_connection(sandbox, connection_id),
        segment=get_segment(sandbox, segment_id),
        mapping=list(mapping),
        enabled=enabled,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    _require_seen(actor, activation)
    _save(activation, force_insert=True)
    require_use(sandbox=sandbox, actor=actor, use=use_of(activation), target=activation)
    audit.record(
        actor=actor, action="activation.created", target=activation, after=_shown(activation)
    )
    return activation


def change_activation(*, actor: Actor, activation: Activation, **changes: Any) -> Activation:
    """Change what is sent, or when. Raises as `create_activation`."""
    before = {field: getattr(activation, field) for field in changes}
    for field, value in changes.items():
        setattr(activation, field, value)
    activation.refused_because = ""
    if "mapping" in changes:
        _require_seen(actor, activation)
    _save(activation)
    require_use(sandbox=activation.sandbox, actor=actor, use=use_of(activation), target=activation)
    audit.record(
        actor=actor, action="activation.changed", target=activation, before=before, after=changes
    )
    return activation


def delete_activation(*, actor: Actor, activation: Activation) -> None:
    """Delete an activation; what still waits is not sent any more."""
    audit.record(
        actor=actor, action="activation.deleted", target=activation, before=_shown(activation)
    )
    activation.delete()


def _save(activation: Activation, *, force_insert: bool = False) -> None:
    clean(activation)
    _check_window(activation)
    _check_mapping(activation)
    try:
        with transaction.atomic():
            activation.save(force_insert=force_insert)
    except IntegrityError as error:
        raise AlreadyActivated(
            f"'{activation.segment}' is sent to '{activation.connection}' already. Change that "
            "activation instead."
        ) from error


def _check_window(activation: Activation) -> None:
    starts_at, ends_at = activation.starts_at, activation.ends_at
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        detail = "The end lies before the start."
        raise Invalid(detail, errors=[FieldError(path="ends_at", code="too_early", detail=detail)])


def _check_mapping(activation: Activation) -> None:
    errors = list(mapping_errors(activation.sandbox, activation.segment, activation.mapping))
    if errors:
        raise Invalid("The mapping cannot be used; see `errors`.", errors=errors)


def _shown(activation: Activation) -> dict[str, Any]:
    return {
        "connection": activation.connection_id,
        "segment": activation.segment_id,
        "mapping": activation.mapping,
        "enabled": activation.enabled,
        "starts_at": activation.starts_at,
        "ends_at": activation.ends_at,
    }


def _require_seen(actor: Actor, activation: Activation) -> None:
    """Refuse a mapping that sends what the actor does not see: it may own the other end."""
    mapping, sandbox = activation.mapping, activation.sandbox
    sight = sight_of(sandbox, actor)
    sight.require_attributes(each["attribute"] for each in mapping if "attribute" in each)
    sight.require_namespaces(each["identity"] for each in mapping if "identity" in each)
    known = payload_fields(activation.segment)
    for each in mapping:
        field = known.get(each.get("segment_attribute", ""))
        if field is not None and not actor.may_see(field.labels):
            raise FieldHidden(each["segment_attribute"])
