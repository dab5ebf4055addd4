"""Rows of schemas: what a sandbox has made or brought in. The standard resources are files."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cdp.schemas.document_field import DocumentField
from cdp.schemas.registry.descriptors import DescriptorKind
from cdp.schemas.registry.names import alt_id
from cdp.schemas.registry.resources import Kind, Resource
from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField

_UNIQUE_TITLE = "A title is used once per sandbox and kind."


class Component(SandboxModel):
    """A class, field group or data type of the sandbox's own, or a published one brought in.

    `references` are the `$id`s that its document names itself. `imported` marks a
    published standard, which is read-only here as anywhere.
    """

    class Kind(models.TextChoices):
        """What it is for."""

        CLASS = "class"
        FIELD_GROUP = "field-group"
        DATA_TYPE = "data-type"

    id = PublicIdField(prefix="cmp")
    kind = models.CharField(max_length=11, choices=Kind)
    uri = models.CharField(max_length=500)
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True, max_length=10_000)
    document = DocumentField()
    references = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    imported = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "uri"], name="component_uri_unique"),
            models.UniqueConstraint(
                fields=["sandbox", "kind", "title"],
                condition=Q(imported=False),  # published titles repeat themselves
                name="component_title_unique",
                violation_error_message=_UNIQUE_TITLE,
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def alt_id(self) -> str:
        """The `$id` without slashes."""
        return alt_id(self.uri)

    @property
    def resource(self) -> Resource:
        """The component as the registry sees it."""
        return Resource(Kind(self.kind), self.uri, self.title, self.document)


class Schema(SandboxModel):
    """A class with field groups: the description of one kind of record.

    `resolved` and `references` follow from `document` and from the components it
    names. `version` grows with everything that changes the outcome: the document, a
    component, a descriptor; so (id, version) is a key for caches. The class and so
    the behavior never change.
    """

    class Behavior(models.TextChoices):
        """Facts about things, or about moments."""

        RECORD = "record"
        TIME_SERIES = "time-series"

    id = PublicIdField(prefix="sch")
    uri = models.CharField(max_length=500)
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True, max_length=10_000)
    document = DocumentField()
    resolved = DocumentField()
    class_uri = models.CharField(max_length=500)
    behavior = models.CharField(max_length=11, choices=Behavior)
    references = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    profile_enabled_at = models.DateTimeField(null=True, blank=True)
    identity_map_primary = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "uri"], name="schema_uri_unique"),
            models.UniqueConstraint(
                fields=["sandbox", "title"],
                name="schema_title_unique",
                violation_error_message=_UNIQUE_TITLE,
            ),
        )
        indexes = (
            models.Index(
                fields=["sandbox", "class_uri"],
                condition=Q(profile_enabled_at__isnull=False),
                name="schema_union",
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def alt_id(self) -> str:
        """The `$id` without slashes."""
        return alt_id(self.uri)

    @property
    def profile_enabled(self) -> bool:
        """Whether its records may go into profiles; once true, always true."""
        return self.profile_enabled_at is not None


class Descriptor(SandboxModel):
    """A statement about a field of a schema: an identity, a label, a reference."""

    id = PublicIdField(prefix="dsc")
    schema = models.ForeignKey(Schema, on_delete=models.CASCADE, related_name="descriptors")
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in DescriptorKind])
    paths = ArrayField(models.CharField(max_length=1000), size=10)
    settings = models.JSONField(default=dict, blank=True)
    destination = models.ForeignKey(
        Schema, null=True, blank=True, on_delete=models.PROTECT, related_name="referred_to_by"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.kind} {', '.join(self.paths)}"

    @property
    def path(self) -> str:
        """The first path; all kinds but a composite key have only one."""
        return self.paths[0]


class ResourceVersion(SandboxModel):
    """What a component or schema was after one change, and what the change was."""

    resource_id = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    document = DocumentField()
    changes = DocumentField()
    reason = models.CharField(max_length=500, blank=True)
    actor_name = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["sandbox", "resource_id", "version"], name="resource_version_unique"
            ),
        )

    def __str__(self) -> str:
        return f"{self.resource_id} 1.{self.version}"
