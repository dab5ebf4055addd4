"""What people set: namespaces, linking rules, merge policies, what is computed and kept."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField
from profiles.enums import (
    AttributeMerge,
    ComputedFunction,
    ComputedState,
    GraphUse,
    LookbackUnit,
    NamespaceType,
    Normaliser,
)


class Namespace(SandboxModel):
    """A kind of identifier that the sandbox has added to the standard ones."""

    id = PublicIdField(prefix="ns")
    code = models.CharField(max_length=64)
    code_key = models.CharField(max_length=64, editable=False)
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=16, choices=NamespaceType)
    normaliser = models.CharField(max_length=16, choices=Normaliser, default=Normaliser.NONE)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "code_key"], name="namespace_code_unique"),
        )

    def __str__(self) -> str:
        return self.code


class IdentitySettings(SandboxModel):
    """The linking rules of a sandbox: a list of namespaces, each with priority and uniqueness."""

    id = PublicIdField(prefix="ids")
    rules = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "identity settings"
        constraints = (models.UniqueConstraint(fields=["sandbox"], name="identity_settings_one"),)

    def __str__(self) -> str:
        return f"version {self.version}"


class MergePolicy(SandboxModel):
    """How the fragments of a person become one view."""

    id = PublicIdField(prefix="mp")
    name = models.CharField(max_length=200)
    graph = models.CharField(max_length=8, choices=GraphUse, default=GraphUse.PRIVATE)
    attributes = models.CharField(
        max_length=20, choices=AttributeMerge, default=AttributeMerge.TIMESTAMP
    )
    datasets = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        help_text="By dataset precedence: the datasets that count, the strongest first.",
    )
    source_timed = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        help_text="Datasets whose rows count as of extSourceSystemAudit.lastUpdatedDate.",
    )
    is_default = models.BooleanField(default=False)
    active_on_edge = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "merge policies"
        constraints = (
            models.UniqueConstraint(fields=["sandbox", "name"], name="merge_policy_name_unique"),
            models.UniqueConstraint(
                fields=["sandbox"],
                name="merge_policy_one_default",
                condition=models.Q(is_default=True),
            ),
            models.UniqueConstraint(
                fields=["sandbox"],
                name="merge_policy_one_on_edge",
                condition=models.Q(active_on_edge=True),
            ),
        )

    def __str__(self) -> str:
        return self.name


class ComputedAttribute(SandboxModel):
    """A value that is worked out of each person's events. Published, its rule stays as it is."""

    id = PublicIdField(prefix="ca")
    name = models.CharField(max_length=64)
    title = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    state = models.CharField(
        max_length=12, choices=ComputedState, default=ComputedState.DRAFT, editable=False
    )
    function = models.CharField(max_length=12, choices=ComputedFunction)
    field = models.CharField(max_length=500, blank=True)
    conditions = models.JSONField(default=list, blank=True)
    lookback_length = models.PositiveSmallIntegerField()
    lookback_unit = models.CharField(max_length=8, choices=LookbackUnit)
    keep = models.PositiveSmallIntegerField(
        default=1, help_text="Of `last`: how many values are kept."
    )
    evaluated_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["sandbox", "name"], name="computed_attribute_name_unique"
            ),
        )

    def __str__(self) -> str:
        return self.name


class RetentionSettings(SandboxModel):
    """How long people are kept of whom only anonymous identities are known; empty is for ever."""

    id = PublicIdField(prefix="ret")
    anonymous_namespaces = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    anonymous_days = models.PositiveIntegerField(null=True, blank=True)
    swept_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "retention settings"
        constraints = (models.UniqueConstraint(fields=["sandbox"], name="retention_settings_one"),)

    def __str__(self) -> str:
        return f"{self.anonymous_days} days" if self.anonymous_days else "for ever"
