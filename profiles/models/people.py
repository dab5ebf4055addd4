"""Who is known: profiles, identities, and what is said of them.

These tables are written thousands of times a second and carry no foreign-key
constraints: their rows are written in sets, under the sandbox's lock, and
`manage.py check_stores` holds them together. Their keys do not begin with the
sandbox: for one that has grown since the last ANALYZE, PostgreSQL would believe that
it is tiny and read all of it instead of the few rows that are named.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cdp.tenancy.base import SandboxModel
from profiles.models.unchecked import unchecked_sandbox


class Profile(SandboxModel):
    """A person, as an id: what is known is in fragments, events and segments.

    `founder` is the identity whose graph the profile is, `members` all of that graph, the
    oldest first. A profile has vanished while its founder belongs to an older one's graph;
    it comes back if they part.
    It is clear as long as every link of its identities joins: then a join with another
    clear one need not be looked into (`stitching/joining.py`).
    `version` is that of the newest row in the event store's snapshot.
    """

    sandbox = unchecked_sandbox()
    founder = models.BigIntegerField()
    members = ArrayField(models.BigIntegerField(), default=list)
    vanished = models.BooleanField(default=False)
    clear = models.BooleanField(default=False)
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
    its own was cut from. Whose a profile's are stands with the profile, too: no index
    is of a column that a merge changes, or each merge would write all of them anew.
    """

    sandbox = unchecked_sandbox()
    namespace = models.CharField(max_length=64)
    value = models.TextField()
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        related_name="+",
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
    sandbox = unchecked_sandbox()
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
    sandbox = unchecked_sandbox()
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


class ComputedValues(SandboxModel):
    """The computed attributes of one person, as they stand in the merged view."""

    sandbox = unchecked_sandbox()
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
    sandbox = unchecked_sandbox()
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
