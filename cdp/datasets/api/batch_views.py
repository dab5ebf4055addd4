"""Batches and their files over HTTP."""

import re
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import CreateMixin, ListMixin, RetrieveMixin
from cdp.api.views import SandboxViewSet
from cdp.datasets import selectors
from cdp.datasets.api.batch_serializers import BatchFileOut, BatchIn, BatchOut
from cdp.datasets.models import Batch, BatchFile
from cdp.datasets.seeing import RefusedRecords
from cdp.datasets.services import batches, uploads
from cdp.datasets.staging.diagnostics import kept_rows
from cdp.errors import Malformed

_RANGE: Final = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(?:\d+|\*)")


class BatchViewSet(ListMixin, RetrieveMixin, CreateMixin, SandboxViewSet):
    """Files that become visible together or not at all."""

    noun = "batch"
    permissions = {
        "list": "view-datasets",
        "retrieve": "view-datasets",
        "errors": "view-datasets",
        "*": "ingest",
    }
    serializer_class = BatchOut
    input_class = BatchIn
    filterset_fields = ("dataset_id", "state", "external_id", "flow_run_id")

    def get_queryset(self) -> QuerySet[Batch]:
        return selectors.list_batches(self.sandbox)

    def get_serializer_context(self) -> dict[str, Any]:
        refused = RefusedRecords.of(self.sandbox, self.actor)
        return {**super().get_serializer_context(), "refused": refused}

    def perform_create(self, values: dict[str, Any]) -> Batch:
        dataset = selectors.get_dataset(self.sandbox, values.pop("dataset_id"))
        return batches.create_batch(actor=self.actor, dataset=dataset, **values)

    @extend_schema(request=None, responses={202: BatchOut})
    @action(methods=["post"], detail=True)
    def complete(self, request: Request, pk: str) -> Response:
        """Say that all files are there, and have the batch worked on.

        The answer does not mean that the rows are stored: read the batch until its
        `state` is `success` or `failed`. Completing twice changes nothing.
        """
        batch = batches.complete_batch(actor=self.actor, batch=self.get_object())
        return self.shown(batch, code=202)

    @extend_schema(request=None, responses={200: BatchOut})
    @action(methods=["post"], detail=True)
    def abort(self, request: Request, pk: str) -> Response:
        """Give up a batch before it is completed, or when it stalled; its files are deleted."""
        return self.shown(batches.abort_batch(actor=self.actor, batch=self.get_object()))

    @extend_schema(request=None, responses={202: BatchOut})
    @action(methods=["post"], detail=True)
    def revert(self, request: Request, pk: str) -> Response:
        """Take back what a stored batch has brought.

        Its events and rows go, and what they said of people; the batch is `inactive`
        when that is done.
        """
        return self.shown(batches.revert_batch(actor=self.actor, batch=self.get_object()), code=202)

    @extend_schema(request=None, responses={202: BatchOut})
    @action(methods=["post"], detail=True)
    def replay(self, request: Request, pk: str) -> Response:
        """Read the batch's files once more, as a new batch.

        If the old batch is stored, the new one takes its place. Useful when the schema
        has been extended, or the dataset enabled for Profile, since.
        """
        return self.shown(batches.replay_batch(actor=self.actor, batch=self.get_object()), code=202)

    @extend_schema(responses={(200, "application/x-ndjson"): OpenApiTypes.STR})
    @action(methods=["get"], detail=True)
    def errors(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Download the bad rows: one JSON object a line.

        Each line has the `file`, the `row`'s number, its `errors` with paths, and the
        `record` as it came. The first 100,000 bad rows are kept, for 30 days. Who lacks a
        label of the dataset's fields gets no `record`, and nothing that quotes it.
        """
        batch = self.get_object()
        folder = uploads.folder_of(batch)
        refused = RefusedRecords.of(self.sandbox, self.actor)
        return self.streamed(
            lambda: kept_rows(folder, batch.dataset_id, refused),
            content_type="application/x-ndjson",
            filename=f"{pk}-errors.jsonl",
        )


@extend_schema(parameters=[OpenApiParameter("batch_id", str, OpenApiParameter.PATH)])
class BatchFileViewSet(ListMixin, SandboxViewSet):
    """The files of a batch. Large ones are sent in pieces, which may be sent again."""

    noun = "batch file"
    permissions = {"list": "view-datasets", "*": "ingest"}
    serializer_class = BatchFileOut
    keeps_answers = False  # bodies are streams
    max_body = settings.FILE_PIECE_LIMIT

    def get_queryset(self) -> QuerySet[BatchFile]:
        return selectors.list_batch_files(self._batch())

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY}, responses={200: BatchFileOut}
    )
    def upload(self, request: Request, batch_id: str, name: str) -> Response:
        """Upload a file in one go; the same name again replaces it."""
        file = uploads.put_file(
            actor=self.actor, batch=self._batch(), name=name, body=_stream(request)
        )
        return Response(BatchFileOut(file).data)

    @extend_schema(
        request=None,
        responses={200: BatchFileOut, 201: BatchFileOut},
        parameters=[
            OpenApiParameter(
                "action", str, enum=["initialize", "complete"], required=True,
                description="Open the file for pieces, or close it when all of them are there.",
            )
        ],
    )  # fmt: skip
    def open_or_close(self, request: Request, batch_id: str, name: str) -> Response:
        """Open a file for pieces, or close it.

        Closing is refused with 400 if bytes are missing or pieces overlap.
        """
        batch, wanted = self._batch(), request.query_params.get("action", "").lower()
        if wanted == "initialize":
            file = uploads.start_file(actor=self.actor, batch=batch, name=name)
            return Response(BatchFileOut(file).data, status=201)
        if wanted == "complete":
            file = selectors.get_batch_file(batch, name)
            return Response(
                BatchFileOut(uploads.complete_file(actor=self.actor, batch=batch, file=file)).data
            )
        raise Malformed("Say ?action=initialize or ?action=complete.")

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={200: BatchFileOut},
        parameters=[
            OpenApiParameter(
                "Content-Range", str, OpenApiParameter.HEADER, required=True,
                description="`bytes 0-1048575/*`: the first and last byte of this piece.",
            )
        ],
    )  # fmt: skip
    def piece(self, request: Request, batch_id: str, name: str) -> Response:
        """Send one piece of a file; the same piece again replaces the first."""
        batch = self._batch()
        start, end = _range(request)
        file = uploads.put_piece(
            actor=self.actor,
            batch=batch,
            file=selectors.get_batch_file(batch, name),
            start=start,
            end=end,
            body=_stream(request),
        )
        return Response(BatchFileOut(file).data)

    @extend_schema(responses={204: None})
    def remove(self, request: Request, batch_id: str, name: str) -> Response:
        """Take a file out of a batch that is still being loaded."""
        batch = self._batch()
        uploads.remove_file(
            actor=self.actor, batch=batch, file=selectors.get_batch_file(batch, name)
        )
        return Response(status=204)

    def _batch(self) -> Batch:
        return selectors.get_batch(self.sandbox, self.kwargs["batch_id"])


def _stream(request: Request) -> Any:
    """Return the body as it comes, past the parsers, which would read it whole."""
    return request._request  # noqa: SLF001  the framework has no other name for it


def _range(request: Request) -> tuple[int, int]:
    match = _RANGE.fullmatch(request.headers.get("Content-Range", "").strip())
    if match is None or int(match[2]) < int(match[1]):
        raise Malformed("Say which bytes these are: Content-Range: bytes 0-1048575/*.")
    return int(match[1]), int(match[2]) + 1
