"""Datasets, inlets, receipts and rejected records over HTTP."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import (
    CreateMixin,
    DeleteMixin,
    InputMixin,
    ListMixin,
    PatchMixin,
    RetrieveMixin,
)
from cdp.api.serializers import read_query
from cdp.api.views import SandboxViewSet
from cdp.datasets import fates, selectors, stored
from cdp.datasets.api.paging import next_link, read_edge
from cdp.datasets.api.serializers import (
    DatasetIn,
    DatasetOut,
    DatasetPatch,
    InletIn,
    InletOut,
    InletPatch,
    ReceiptDetail,
    ReceiptOut,
    RejectedRecordOut,
    ReplayIn,
    ReplayOut,
    RowsOut,
    RowsQuery,
    StatsOut,
)
from cdp.datasets.models import Dataset, Inlet, Receipt, RejectedRecord
from cdp.datasets.seeing import RefusedRecords, read_seen_rows
from cdp.datasets.services import datasets, inlets, rejected
from cdp.datasets.stored import Wanted
from cdp.schemas.selectors import get_schema

_READ_AND_MANAGE = {
    "list": "view-datasets",
    "retrieve": "view-datasets",
    "preview": "view-datasets",
    "rows": "view-datasets",
    "stats": "view-datasets",
    "*": "manage-datasets",
}
_PREVIEW_ROWS = 100


class DatasetViewSet(
    ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet
):
    """Places for rows of one schema."""

    noun = "dataset"
    permissions = _READ_AND_MANAGE
    serializer_class = DatasetOut
    filterset_fields = ("name", "schema_id", "behavior", "system")
    ordering_fields = ("name", "updated_at")

    def get_queryset(self) -> QuerySet[Dataset]:
        return selectors.list_datasets(self.sandbox)

    def get_input_class(self) -> Any:
        return DatasetPatch if self.action == "partial_update" else DatasetIn

    def perform_create(self, values: dict[str, Any]) -> Dataset:
        schema = get_schema(self.sandbox, values.pop("schema_id"))
        return datasets.create_dataset(
            actor=self.actor, sandbox=self.sandbox, schema=schema, **values
        )

    def perform_patch(self, row: Dataset, changes: dict[str, Any]) -> Dataset:
        return datasets.change_dataset(actor=self.actor, dataset=row, **changes)

    def perform_delete(self, row: Dataset) -> None:
        datasets.delete_dataset(actor=self.actor, dataset=row)

    @extend_schema(responses=RowsOut)
    @action(methods=["get"], detail=True)
    def preview(self, request: Request, pk: str) -> Response:
        """Look at the first hundred rows: of events the newest."""
        page = read_seen_rows(self.get_object(), Wanted(limit=_PREVIEW_ROWS), self.actor)
        return Response(RowsOut({"results": page.rows, "next": None}).data)

    @extend_schema(parameters=[RowsQuery], responses=RowsOut)
    @action(methods=["get"], detail=True)
    def rows(self, request: Request, pk: str) -> Response:
        """Read stored rows: of a time, a batch or a key, in pages.

        Events come newest first, records by their key.
        """
        wanted = read_query(request, RowsQuery)
        dataset, organization = self.get_object(), self.sandbox.organization
        wanted["after"] = read_edge(wanted.pop("cursor", None), organization)
        page = read_seen_rows(dataset, Wanted(**wanted), self.actor)
        link = next_link(request, page.edge, organization) if page.edge else None
        return Response(RowsOut({"results": page.rows, "next": link}).data)

    @extend_schema(responses=StatsOut)
    @action(methods=["get"], detail=True)
    def stats(self, request: Request, pk: str) -> Response:
        """Count what the dataset holds, and tell when something last came in."""
        dataset = self.get_object()
        batch = selectors.last_batch(dataset)
        last = {
            "last_batch_id": batch.pk if batch else "",
            "last_batch_state": batch.state if batch else "",
        }
        return Response(StatsOut({**asdict(stored.read_stats(dataset)), **last}).data)


class InletViewSet(ListMixin, RetrieveMixin, CreateMixin, PatchMixin, DeleteMixin, SandboxViewSet):
    """Addresses that data is sent to."""

    noun = "inlet"
    permissions = _READ_AND_MANAGE
    serializer_class = InletOut
    filterset_fields = ("name", "door", "enabled")
    ordering_fields = ("name", "updated_at")

    def get_queryset(self) -> QuerySet[Inlet]:
        return selectors.list_inlets(self.sandbox)

    def get_input_class(self) -> Any:
        return InletPatch if self.action == "partial_update" else InletIn

    def perform_create(self, values: dict[str, Any]) -> Inlet:
        return inlets.create_inlet(
            actor=self.actor, sandbox=self.sandbox, **self._with_datasets(values)
        )

    def perform_patch(self, row: Inlet, changes: dict[str, Any]) -> Inlet:
        return inlets.change_inlet(actor=self.actor, inlet=row, **self._with_datasets(changes))

    def perform_delete(self, row: Inlet) -> None:
        inlets.delete_inlet(actor=self.actor, inlet=row)

    def _with_datasets(self, values: dict[str, Any]) -> dict[str, Any]:
        if "dataset_ids" in values:
            values["datasets"] = selectors.get_datasets(self.sandbox, values.pop("dataset_ids"))
        return values


class ReceiptViewSet(ListMixin, SandboxViewSet):
    """What became of what a door accepted."""

    noun = "receipt"
    permissions = {"*": "view-datasets"}
    serializer_class = ReceiptOut
    filterset_fields = ("inlet_id", "batch_id")

    def get_queryset(self) -> QuerySet[Receipt]:
        return selectors.list_receipts(self.sandbox)

    @extend_schema(responses=ReceiptDetail)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read what became of a request.

        Its `state` is `pending` until all of its records are stored or put aside. Add
        `-` and a position to ask for one record: `rcp_...-3`.
        """
        refused = RefusedRecords.of(self.sandbox, self.actor)
        return Response(ReceiptDetail(fates.get_receipt(self.sandbox, pk, refused)).data)


class RejectedRecordViewSet(InputMixin, ListMixin, RetrieveMixin, SandboxViewSet):
    """Records that were put aside, with every reason.

    Roles that lack a label of the dataset's fields see what kind of mistake is where, and
    neither the record nor what the reasons quote of it.
    """

    noun = "rejected record"
    permissions = _READ_AND_MANAGE
    serializer_class = RejectedRecordOut
    input_class = ReplayIn
    filterset_fields = {
        "dataset_id": ["exact"],
        "receipt_id": ["exact"],
        "batch_id": ["exact"],
        "replayed_at": ["isnull"],
    }

    def get_queryset(self) -> QuerySet[RejectedRecord]:
        return selectors.list_rejected_records(self.sandbox)

    def get_serializer_context(self) -> dict[str, Any]:
        refused = RefusedRecords.of(self.sandbox, self.actor)
        return {**super().get_serializer_context(), "refused": refused}

    @extend_schema(request=ReplayIn, responses={202: ReplayOut})
    @action(methods=["post"], detail=False)
    def replay(self, request: Request) -> Response:
        """Send rejected records through the pipeline again.

        Useful when the cause is gone, such as a field that the schema lacked. Each
        record can be replayed once; the new receipts tell what became of them.
        """
        rows = selectors.get_rejected_records(self.sandbox, self.checked()["ids"])
        receipts = rejected.replay_rejected(actor=self.actor, sandbox=self.sandbox, records=rows)
        return Response(ReplayOut({"receipt_ids": receipts}).data, status=202)
