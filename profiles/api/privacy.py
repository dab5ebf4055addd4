"""`privacy-jobs/`: what a person may ask for."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import InputMixin, ListMixin, RetrieveMixin
from cdp.api.serializers import StrictSerializer, example
from cdp.api.views import SandboxViewSet
from cdp.datasets.errors import FieldHidden
from cdp.datasets.seeing import RefusedRecords
from profiles.api.rendering import seen_identity
from profiles.api.shapes import IdentityIn
from profiles.enums import PrivacyAction, Regulation, WorkState
from profiles.erasing.privacy import CONTENT, content_folder
from profiles.errors import ContentGone, RequestUnfinished
from profiles.identity.rules import Identity
from profiles.models import PrivacyJob
from profiles.selectors.identities import stored_identities
from profiles.selectors.requests import list_privacy_jobs
from profiles.selectors.sight import Sight, sight_of
from profiles.services.privacy import request_privacy

MOST_IDENTITIES = 9
MOST_USERS = 1_000
_BLOCK = 256 * 1024


class PrivacyJobOut(serializers.ModelSerializer[PrivacyJob]):
    """One request. `receipts` tells for each store what was found or erased there."""

    identities = serializers.SerializerMethodField(
        help_text="The value of an identity is null if your roles lack its labels."
    )

    class Meta:
        model = PrivacyJob
        fields = (
            "id",
            "action",
            "regulation",
            "user_key",
            "identities",
            "expand",
            "state",
            "receipts",
            "detail",
            "job_id",
            "created_at",
            "completed_at",
        )

    def get_identities(self, row: PrivacyJob) -> list[dict[str, Any]]:
        sight: Sight = self.context["sight"]
        return [seen_identity(Identity(**given), sight) for given in row.identities]


class UserIn(StrictSerializer):
    """A person, what she asks for, and what she is known by."""

    key = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    actions = serializers.ListField(
        child=serializers.ChoiceField(choices=PrivacyAction.choices), min_length=1, max_length=2
    )
    identities = serializers.ListField(child=IdentityIn(), min_length=1, max_length=MOST_IDENTITIES)


@example(
    {
        "regulation": "gdpr",
        "users": [
            {
                "key": "Ticket 7",
                "actions": ["access"],
                "identities": [{"namespace": "Email", "value": "sarah@luma.com"}],
            }
        ],
    }
)
class PrivacyRequestIn(StrictSerializer):
    """Requests of one or more persons."""

    regulation = serializers.ChoiceField(choices=Regulation.choices, default=Regulation.NONE)
    expand = serializers.BooleanField(
        default=True, help_text="Also for all identities of the same profile."
    )
    users = serializers.ListField(child=UserIn(), min_length=1, max_length=MOST_USERS)


class PrivacyRequestOut(serializers.Serializer[Any]):
    """The requests that were taken."""

    results = PrivacyJobOut(many=True)


class PrivacyJobsViewSet(ListMixin, RetrieveMixin, InputMixin, SandboxViewSet):
    """Requests of persons to see what is held on them, or to have it erased.

    Who is erased stays so: what she did before then is refused when it is sent again.
    """

    noun = "privacy job"
    permissions = {"*": "manage-privacy"}
    serializer_class = PrivacyJobOut
    input_class = PrivacyRequestIn
    filterset_fields = ("action", "state", "regulation")

    def get_queryset(self) -> Any:
        return list_privacy_jobs(self.sandbox)

    def get_serializer_context(self) -> dict[str, Any]:
        sight = sight_of(self.sandbox, self.actor)
        return {**super().get_serializer_context(), "sight": sight}

    @extend_schema(request=PrivacyRequestIn, responses={202: PrivacyRequestOut})
    def create(self, request: Request) -> Response:
        """Take requests; a job carries each of them out."""
        asked = self.checked()
        made = [
            row
            for place, user in enumerate(asked["users"])
            for row in request_privacy(
                actor=self.actor,
                sandbox=self.sandbox,
                actions=[PrivacyAction(one) for one in set(user["actions"])],
                identities=stored_identities(
                    self.sandbox,
                    [(one["namespace"], one["value"]) for one in user["identities"]],
                    path=f"users.{place}.identities",
                ),
                user_key=user["key"],
                regulation=asked["regulation"],
                expand=asked["expand"],
            )
        ]
        return Response(
            {"results": self.get_serializer(made, many=True).data},
            status=status.HTTP_202_ACCEPTED,
        )

    @extend_schema(responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY)})
    @action(detail=True)
    def content(self, request: Request, pk: str) -> Any:
        """Get the file of an access request: everything held on the person.

        It is whole, so it goes only to those who carry every label of the data.
        """
        row: PrivacyJob = self.get_object()
        if not RefusedRecords.of(self.sandbox, self.actor).sees_all_of(None):
            raise FieldHidden(f"privacy job {row.pk}")
        if row.state in (WorkState.SUBMITTED, WorkState.PROCESSING):
            raise RequestUnfinished("The request is still being worked on; ask again later.")
        folder = content_folder(self.sandbox, row.pk)
        if row.action != PrivacyAction.ACCESS or not folder.exists(CONTENT):
            raise ContentGone("This request has no file, or it is not kept any more.")

        def blocks() -> Iterator[bytes]:
            with folder.reading(CONTENT) as file:
                while block := file.read(_BLOCK):
                    yield block

        return self.streamed(blocks, content_type="application/zip", filename=f"{row.pk}.zip")
