"""Rows of profiles.

Tables that ingestion writes thousands of times a second carry no foreign-key
constraints of their own: their rows are written in sets, under the sandbox's lock,
and `manage.py check_stores` holds them together. Their keys do not begin with the
sandbox: for one that has grown since the last ANALYZE, PostgreSQL would believe that
it is tiny and read all of it instead of the few rows that are named.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cdp.tenancy.base import SandboxModel
from cdp.tenancy.ids import PublicIdField
from cdp.tenancy.models import Sandbox
from profiles.enums import (
    AttributeMerge,
    ComputedFunction,
    ComputedState,
    GraphUse,
    LookbackUnit,
    NamespaceType,
    Normaliser,
)


def _unchecked_sandbox() -> "models.ForeignKey[Sandbox, Sandbox]":
    """Own a row without a constraint, which would lock the sandbox's row for each of them."""
    return models.ForeignKey(
        Sandbox, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
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


class Profile(SandboxModel):
    """A person, as an id: what is known is in fragments, events and segments.

    `founder` is the identity whose graph the profile is. A profile has vanished
    while its founder belongs to an older one's graph; it comes back if they part.
    `version` is that of the newest row in the event store's snapshot.
    """

    sandbox = _unchecked_sandbox()
    founder = models.BigIntegerField()
    vanished = models.BooleanField(default=False)
    version = models.BigIntegerField(default=0)
    segments = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["sandbox", "id"], name="profile_of_sandbox"),)

    def __str__(self) -> str:
        return f"prf_{self.pk}"


class Identity(SandboxModel):
    """An identifier that has been seen, and whose it is.

    Older ones have smaller ids. `founded` is the profile that the identity stands
    for when it is the oldest of its graph. `crowd` names an over-full graph that
    its own was cut from.
    """

    sandbox = _unchecked_sandbox()
    namespace = models.CharField(max_length=64)
    value = models.TextField()
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        related_name="identities",
        db_constraint=False,
        db_index=False,
    )
    founded = models.BigIntegerField(null=True)
    crowd = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "identities"
        constraints = (
            models.UniqueConstraint(
                fields=["sandbox", "namespace", "value"], name="identity_unique"
            ),
        )
        indexes = (
            models.Index(fields=["profile"], name="identity_of_profile"),
            models.Index(
                fields=["crowd"], name="identity_in_crowd", condition=models.Q(crowd__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"{self.namespace}:{self.value}"


class IdentityLink(SandboxModel):
    """Two identities that one record named, `a` the older one.

    An end keeps its newest links only (`by_a`, `by_b`); a link joins while both
    keep it. An operator's cut stays until it is taken back, whatever is seen.
    """

    pk = models.CompositePrimaryKey("a", "b")
    sandbox = _unchecked_sandbox()
    a = models.BigIntegerField()
    b = models.BigIntegerField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    datasets = ArrayField(models.CharField(max_length=40))
    record = models.TextField(help_text="The latest record that named both.")
    batch_id = models.CharField(
        max_length=40, blank=True, help_text="The batch that alone has named both, if one has."
    )
    by_a = models.BooleanField(default=True)
    by_b = models.BooleanField(default=True)
    cut_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["a"], name="link_kept_by_a", condition=models.Q(by_a=True)),
            models.Index(fields=["b"], name="link_kept_by_b", condition=models.Q(by_b=True)),
            models.Index(fields=["a"], name="link_cut", condition=models.Q(cut_at__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.a} - {self.b}"


class Fragment(SandboxModel):
    """What one dataset says of one identity; `times` holds those of values changed in part."""

    pk = models.CompositePrimaryKey("identity_id", "dataset_id")
    sandbox = _unchecked_sandbox()
    identity = models.ForeignKey(
        Identity,
        on_delete=models.DO_NOTHING,
        related_name="fragments",
        db_constraint=False,
        db_index=False,
    )
    dataset_id = models.CharField(max_length=40)
    document = models.JSONField()
    taken_at = models.DateTimeField()
    times = models.JSONField(null=True)
    batch_id = models.CharField(
        max_length=40, blank=True, help_text="The batch that wrote it last."
    )

    class Meta:
        indexes = (models.Index(fields=["sandbox", "dataset_id"], name="fragment_of_dataset"),)

    def __str__(self) -> str:
        return f"{self.dataset_id} of {self.identity_id}"


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


class ComputedValues(SandboxModel):
    """The computed attributes of one person, as they stand in the merged view."""

    sandbox = _unchecked_sandbox()
    profile = models.OneToOneField(
        Profile,
        primary_key=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
    )
    document = models.JSONField()
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "computed values"

    def __str__(self) -> str:
        return f"prf_{self.pk}"


class SearchTerm(SandboxModel):
    """A normalised word or number under which a profile may be searched by its beginning."""

    pk = models.CompositePrimaryKey("profile_id", "kind", "term")
    sandbox = _unchecked_sandbox()
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    kind = models.CharField(max_length=8)
    term = models.TextField()

    class Meta:
        indexes = (
            # Prefixes are asked with ~>=~ and ~<~: under row-level security nothing else
            # that reads a prefix may use an index.
            models.Index(
                fields=["sandbox", "kind", "term"],
                name="search_term_prefix",
                opclasses=["int8_ops", "text_pattern_ops", "text_pattern_ops"],
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.term}"


class EventKey(SandboxModel):
    """The hash of an event's id, kept so that the event counts once if it is sent again.

    Partitioned by the month of arrival; whole months are dropped (`ingest/months.py`).
    """

    pk = models.CompositePrimaryKey("hash", "month")
    sandbox = _unchecked_sandbox()
    month = models.DateField()
    hash = models.UUIDField()

    def __str__(self) -> str:
        return str(self.hash)


class IngestBatch(SandboxModel):
    """Records that have been decided on, on their way into the event store.

    Made in the transaction that decides; gone when the store has everything and
    the news is out. Whoever finds one left over goes on from here, with the same
    rows under the same token.
    """

    id = models.UUIDField(primary_key=True)
    items = ArrayField(models.BigIntegerField(), help_text="Rows of the queue that it covers.")
    published = models.BooleanField(default=False)
    payload = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "ingest batches"
        indexes = (models.Index(fields=["sandbox", "created_at"], name="ingest_batch_open"),)

    def __str__(self) -> str:
        return str(self.pk)
