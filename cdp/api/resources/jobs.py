"""`jobs/`: long work, its progress, and stopping it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from cdp.api.mixins import ListMixin, RetrieveMixin
from cdp.api.views import SandboxViewSet
from cdp.jobs import selectors, services
from cdp.jobs.models import Job


class ItemErrorOut(serializers.Serializer[Any]):
    """What went wrong with one item."""

    path = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ProgressOut(serializers.Serializer[Any]):
    """How far a job is; `total` is null while nobody knows it."""

    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    failed = serializers.IntegerField()


class JobOut(serializers.ModelSerializer[Job]):
    """A job."""

    progress = ProgressOut(source="*")
    errors = ItemErrorOut(  # type: ignore[assignment]  # a field, and no class attribute
        many=True, help_text="The first hundred items that went wrong."
    )
    started_by = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "state",
            "progress",
            "params",
            "result",
            "detail",
            "errors",
            "started_by",
            "cancel_requested_at",
            "created_at",
            "started_at",
            "finished_at",
        ]

    def get_started_by(self, job: Job) -> str:
        """Return the name of whoever started the job."""
        return str(job.actor["name"])


class JobsViewSet(ListMixin, RetrieveMixin, SandboxViewSet):
    """Long work of the sandbox: exports, evaluations, imports. Poll one until its `state` ends it."""

    noun = "job"
    permissions = {"list": "view-jobs", "retrieve": "view-jobs", "cancel": "manage-jobs"}
    serializer_class = JobOut
    filterset_fields = ["kind", "state"]

    def get_queryset(self) -> Any:
        return selectors.list_jobs(self.sandbox)

    @extend_schema(request=None, responses=JobOut)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel one: at once if it waits, else at its next step. 409 if it has ended."""
        return self.shown(services.cancel(self.get_object(), actor=self.actor))


def accepted(job: Job, request: Request) -> Response:
    """Return the answer to a request that has started a job: 202, and where to look."""
    where = reverse("jobs-detail", args=[job.pk], request=request)
    return Response(JobOut(job).data, status=status.HTTP_202_ACCEPTED, headers={"Location": where})
