"""What an actor may see of a dataset's rows: fields whose labels it does not carry are left out."""

from collections.abc import Sequence
from dataclasses import replace

from cdp.datasets.errors import FieldHidden
from cdp.datasets.hiding import hidden_paths, without
from cdp.datasets.lineage import labels_in
from cdp.datasets.models import Dataset
from cdp.datasets.stored import Page, Wanted, read_rows
from cdp.schemas.registry.fields import Field
from cdp.schemas.selectors import compiled_schema
from cdp.tenancy.actors import Actor


def read_seen_rows(dataset: Dataset, wanted: Wanted, actor: Actor) -> Page:
    """Return one page of a dataset's rows, as far as the actor may see them.

    Where an identity is hidden, so are the keys of rows, which may be its values. Raises
    `FieldHidden` if rows were asked for by such a key.
    """
    hidden = _hidden_fields(dataset, actor)
    named = [field.path for field in hidden if field.namespace]
    if named and wanted.key:
        raise FieldHidden(named[0])
    page = read_rows(dataset, wanted)
    if not hidden:
        return page
    tree = hidden_paths(field.path for field in hidden)
    rows = [replace(row, record=without(row.record, tree)) for row in page.rows]
    return Page([replace(row, key="") for row in rows] if named else rows, page.edge)


def _hidden_fields(dataset: Dataset, actor: Actor) -> Sequence[Field]:
    if actor.labels is None:
        return ()
    fields = compiled_schema(dataset.sandbox, dataset.schema_id).fields
    return [one for one in fields.values() if not actor.may_see(labels_in(dataset, one))]
