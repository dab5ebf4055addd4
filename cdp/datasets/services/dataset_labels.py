"""Labels of datasets: they must exist, and no live use of the data may break a policy by them."""

from cdp.datasets.models import Dataset
from cdp.errors import FieldError, Invalid
from cdp.schemas.registry.suggest import hint
from cdp.schemas.selectors import compiled_schema
from cdp.tenancy.actors import Actor
from governance.evaluation import Node
from governance.selectors import require_labels
from governance.services.decisions import require_standing_uses


def check_labels(dataset: Dataset) -> None:
    """Raise `Invalid` for a label that does not exist, or at a field that the schema lacks."""
    require_labels(dataset.sandbox, dataset.labels)
    if not dataset.field_labels:
        return
    fields = compiled_schema(dataset.sandbox, dataset.schema_id).fields
    errors = [
        FieldError(
            path=f"field_labels.{path}",
            code="unknown",
            detail=f"The schema has no field '{path}'.{hint(path, list(fields))}",
        )
        for path in dataset.field_labels
        if path not in fields
    ]
    if errors:
        raise Invalid(" ".join(error["detail"] for error in errors), errors=errors)
    for path, names in dataset.field_labels.items():
        require_labels(dataset.sandbox, names, f"field_labels.{path}")


def ask_standing_uses(actor: Actor, dataset: Dataset) -> None:
    """Refuse a change of a dataset's labels, or of what it feeds, that a live use must not have.

    Call it after the change, inside its transaction. Raises `UseRefused`.
    """
    require_standing_uses(
        sandbox=dataset.sandbox,
        actor=actor,
        changed=Node("dataset", dataset.pk, dataset.name, frozenset(dataset.labels)),
        target=dataset,
    )
