"""What an actor may see of a dataset's rows: fields whose labels it does not carry are left out.

A record that was refused need not have its schema's form, so nobody can say which of its
values a label is meant for: it is seen by those who see all of its dataset, or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from cdp.datasets.errors import FieldHidden
from cdp.datasets.hiding import hidden_paths, without
from cdp.datasets.lineage import Sources, labels_in
from cdp.datasets.models import Dataset
from cdp.datasets.records import Json
from cdp.datasets.stored import Page, Wanted, read_rows
from cdp.schemas.registry.fields import Field
from cdp.schemas.selectors import compiled_schema
from cdp.tenancy.actors import Actor
from cdp.tenancy.models import Sandbox

UNSAID: Final = "Hidden, as it may quote a value: your roles lack a label of the dataset's fields."


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


@dataclass(frozen=True, slots=True)
class RefusedRecords:
    """Records that were refused, as far as an actor may see them, by their datasets.

    What has no dataset may be of any.
    """

    hidden: frozenset[str] = frozenset()

    @classmethod
    def of(cls, sandbox: Sandbox, actor: Actor) -> Self:
        """Tell what an actor may see; without a query if nothing is kept from it."""
        if actor.labels is None:
            return cls()
        return cls(Sources.of(sandbox, enabled_only=False).unseen_by(actor))

    def record(self, dataset_id: str | None, record: Any) -> Any:
        """Return a record; None if it is hidden."""
        return record if self.sees_all_of(dataset_id) else None

    def detail(self, dataset_id: str | None, detail: str) -> str:
        """Return what was said of a record, which may quote it."""
        return UNSAID if detail and not self.sees_all_of(dataset_id) else detail

    def errors(self, dataset_id: str | None, errors: Sequence[Json]) -> list[Json]:
        """Return what is wrong with a record: always where, and what kind of mistake."""
        return [{**error, "detail": self.detail(dataset_id, error["detail"])} for error in errors]

    def sees_all_of(self, dataset_id: str | None) -> bool:
        """Tell whether nothing of a dataset's records is hidden."""
        return not self.hidden if dataset_id is None else dataset_id not in self.hidden


def _hidden_fields(dataset: Dataset, actor: Actor) -> Sequence[Field]:
    if actor.labels is None:
        return ()
    fields = compiled_schema(dataset.sandbox, dataset.schema_id).fields
    return [one for one in fields.values() if not actor.may_see(labels_in(dataset, one))]
