"""`sandboxes/`: the walled parts of an organization."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdp.api.mixins import (
    CreateMixin,
    InputMixin,
    ListMixin,
    ObjectMixin,
    PatchMixin,
    RetrieveMixin,
)
from cdp.api.resources.jobs import JobOut, accepted
from cdp.api.serializers import StrictSerializer
from cdp.api.views import DEFAULT_SANDBOX, OrganizationViewSet, request_id
from cdp.errors import Invalid
from cdp.jobs import sandboxes as life
from cdp.tenancy import selectors
from cdp.tenancy.actors import Actor
from cdp.tenancy.authentication import acting, organization_of, sandbox_named
from cdp.tenancy.models import Sandbox
from cdp.tenancy.services import organizations


class SandboxOut(serializers.ModelSerializer[Sandbox]):
    """A sandbox."""

    class Meta:
        model = Sandbox
        fields = [
            "name",
            "title",
            "kind",
            "time_zone",
            "guards_labels",
            "state",
            "created_at",
            "updated_at",
        ]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A place to try things",
            request_only=True,
            value={"name": "dev", "title": "Development", "time_zone": "Europe/Berlin"},
        )
    ]
)
class SandboxIn(StrictSerializer):
    """A new sandbox; its name and kind never change."""

    name = serializers.CharField(max_length=63)
    title = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField(choices=Sandbox.Kind.choices, default=Sandbox.Kind.DEVELOPMENT)
    time_zone = serializers.CharField(max_length=64, default="UTC")
    guards_labels = serializers.BooleanField(
        default=False, help_text="Show labelled fields only to roles that carry the labels."
    )


class SandboxesViewSet(ListMixin, RetrieveMixin, CreateMixin, PatchMixin, OrganizationViewSet):
    """Sandboxes of the organization. `prod` exists from the start."""

    noun = "sandbox"
    lookup_field = "name"
    permissions = {
        "list": "view-sandboxes",
        "retrieve": "view-sandboxes",
        "*": "manage-sandboxes",
    }
    serializer_class = SandboxOut
    input_class = SandboxIn
    filterset_fields = ["kind"]

    def get_queryset(self) -> Any:
        return selectors.list_sandboxes(self.organization)

    def perform_create(self, values: dict[str, Any]) -> Sandbox:
        return organizations.create_sandbox(
            actor=self.actor, organization=self.organization, **values
        )

    def perform_patch(self, row: Sandbox, changes: dict[str, Any]) -> Sandbox:
        return organizations.change_sandbox(actor=self.actor, sandbox=row, **changes)


class ResetIn(StrictSerializer):
    """That a reset is meant."""

    confirm = serializers.CharField(max_length=63, help_text="The sandbox's name once more.")


class CopyIn(StrictSerializer):
    """Where a copy goes."""

    into = serializers.CharField(max_length=63, help_text="The name of another sandbox.")


class SandboxLifeViewSet(InputMixin, ObjectMixin, OrganizationViewSet):
    """Emptying and copying whole sandboxes; the jobs stand in `prod`."""

    noun = "sandbox"
    lookup_field = "name"
    permissions = {"*": "manage-sandboxes"}
    serializer_class = JobOut

    def get_queryset(self) -> Any:
        return selectors.list_sandboxes(self.organization).select_related("organization")

    def get_input_class(self) -> Any:
        return ResetIn if self.action == "reset" else CopyIn

    @contextmanager
    def opened(self) -> Iterator[Actor]:
        """Open `prod`, which is never reset: there the jobs are found."""
        self.organization = organization_of(self.caller)
        self.home = sandbox_named(self.caller, DEFAULT_SANDBOX)
        with acting(self.caller, self.home, request_id()) as actor:
            yield actor

    @extend_schema(request=ResetIn, responses={202: JobOut})
    def reset(self, request: Request, name: str) -> Response:
        """Remove everything in a sandbox: data, people, what is set up. It is shut meanwhile."""
        sandbox = self.get_object()
        if self.checked()["confirm"] != sandbox.name:
            raise Invalid(f"Confirm with the sandbox's name, '{sandbox.name}'.")
        job = life.request_reset(actor=self.actor, home=self.home, sandbox=sandbox)
        return accepted(job, request)

    @extend_schema(request=CopyIn, responses={202: JobOut})
    def copy(self, request: Request, name: str) -> Response:
        """Copy what is set up, but no data, into another sandbox; what it has stays as it is."""
        sandbox = self.get_object()
        into = self.checked()["into"]
        job = life.request_copy(actor=self.actor, home=self.home, sandbox=sandbox, into=into)
        return accepted(job, request)
