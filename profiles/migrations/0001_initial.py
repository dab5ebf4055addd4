import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import cdp.tenancy.ids
import cdp.tenancy.rls

# Django knows no partitions. The primary key holds the partition's own column, as it must.
EVENT_KEYS = """
CREATE TABLE profiles_eventkey (
    month date NOT NULL,
    sandbox_id bigint NOT NULL,
    hash uuid NOT NULL,
    PRIMARY KEY (hash, month)
) PARTITION BY RANGE (month)
"""

# Room on the page lets an update that touches no index stay there; what is compressed
# already is not compressed again.
STORAGE = """
ALTER TABLE profiles_identitylink SET (fillfactor = 80);
ALTER TABLE profiles_profile SET (fillfactor = 70);
ALTER TABLE profiles_ingestbatch ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE SEQUENCE profiles_version;
"""

TENANT_TABLES = (
    "eventkey",
    "fragment",
    "identity",
    "identitylink",
    "identitysettings",
    "ingestbatch",
    "mergepolicy",
    "namespace",
    "profile",
    "searchterm",
)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(EVENT_KEYS, "DROP TABLE profiles_eventkey")],
            state_operations=[
                migrations.CreateModel(
                    name="EventKey",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "hash",
                                "month",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("month", models.DateField()),
                        ("hash", models.UUIDField()),
                        (
                            "sandbox",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="tenancy.sandbox",
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                    managers=[
                        ("unscoped", django.db.models.manager.Manager()),
                    ],
                ),
            ],
        ),
        migrations.CreateModel(
            name="Profile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("founder", models.BigIntegerField()),
                ("vanished", models.BooleanField(default=False)),
                ("version", models.BigIntegerField(default=0)),
                ("segments", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                (
                    "sandbox",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
            ],
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("namespace", models.CharField(max_length=64)),
                ("value", models.TextField()),
                ("founded", models.BigIntegerField(null=True)),
                ("crowd", models.BigIntegerField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "sandbox",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="identities",
                        to="profiles.profile",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "identities",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="SearchTerm",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "profile_id",
                        "kind",
                        "term",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(max_length=8)),
                ("term", models.TextField()),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="profiles.profile",
                    ),
                ),
                (
                    "sandbox",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
            ],
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Fragment",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "identity_id",
                        "dataset_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("dataset_id", models.CharField(max_length=40)),
                ("document", models.JSONField()),
                ("taken_at", models.DateTimeField()),
                ("times", models.JSONField(null=True)),
                (
                    "sandbox",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
                (
                    "identity",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="fragments",
                        to="profiles.identity",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["sandbox", "dataset_id"], name="fragment_of_dataset")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="IdentityLink",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "a",
                        "b",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("a", models.BigIntegerField()),
                ("b", models.BigIntegerField()),
                ("first_seen", models.DateTimeField()),
                ("last_seen", models.DateTimeField()),
                (
                    "datasets",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None
                    ),
                ),
                ("record", models.TextField(help_text="The latest record that named both.")),
                ("by_a", models.BooleanField(default=True)),
                ("by_b", models.BooleanField(default=True)),
                ("cut_at", models.DateTimeField(null=True)),
                (
                    "sandbox",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("by_a", True)), fields=["a"], name="link_kept_by_a"
                    ),
                    models.Index(
                        condition=models.Q(("by_b", True)), fields=["b"], name="link_kept_by_b"
                    ),
                    models.Index(
                        condition=models.Q(("cut_at__isnull", False)), fields=["a"], name="link_cut"
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="IdentitySettings",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="ids",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("rules", models.JSONField(default=list)),
                ("version", models.PositiveIntegerField(default=1)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "sandbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "identity settings",
                "constraints": [
                    models.UniqueConstraint(fields=("sandbox",), name="identity_settings_one")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="IngestBatch",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        help_text="Rows of the queue that it covers.",
                        size=None,
                    ),
                ),
                ("published", models.BooleanField(default=False)),
                ("payload", models.BinaryField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "sandbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "ingest batches",
                "indexes": [
                    models.Index(fields=["sandbox", "created_at"], name="ingest_batch_open")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="MergePolicy",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="mp",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "graph",
                    models.CharField(
                        choices=[("none", "None"), ("pdg", "Private")], default="pdg", max_length=8
                    ),
                ),
                (
                    "attributes",
                    models.CharField(
                        choices=[
                            ("timestampOrdered", "Timestamp"),
                            ("dataSetPrecedence", "Dataset"),
                        ],
                        default="timestampOrdered",
                        max_length=20,
                    ),
                ),
                (
                    "datasets",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        help_text="By dataset precedence: the datasets that count, the strongest first.",
                        size=None,
                    ),
                ),
                (
                    "source_timed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        help_text="Datasets whose rows count as of extSourceSystemAudit.lastUpdatedDate.",
                        size=None,
                    ),
                ),
                ("is_default", models.BooleanField(default=False)),
                ("active_on_edge", models.BooleanField(default=False)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "sandbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "merge policies",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sandbox", "name"), name="merge_policy_name_unique"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)),
                        fields=("sandbox",),
                        name="merge_policy_one_default",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("active_on_edge", True)),
                        fields=("sandbox",),
                        name="merge_policy_one_on_edge",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Namespace",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="ns",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("code", models.CharField(max_length=64)),
                ("code_key", models.CharField(editable=False, max_length=64)),
                ("name", models.CharField(max_length=200)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("Cookie", "Cookie"),
                            ("Cross_device", "Cross Device"),
                            ("Device", "Device"),
                            ("Email", "Email"),
                            ("Phone", "Phone"),
                            ("Mobile", "Mobile"),
                            ("Non_people", "Non People"),
                            ("Partner_ID", "Partner"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "normaliser",
                    models.CharField(
                        choices=[
                            ("none", "as sent"),
                            ("lowercase", "trimmed and lower-case"),
                            ("e164", "telephone number in E.164"),
                            ("sha256", "SHA-256"),
                            ("email_sha256", "SHA-256 of the lower-case e-mail address"),
                            ("e164_sha256", "SHA-256 of the number in E.164"),
                        ],
                        default="none",
                        max_length=16,
                    ),
                ),
                ("description", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "sandbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sandbox", "code_key"), name="namespace_code_unique"
                    )
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name="profile",
            index=models.Index(fields=["sandbox", "id"], name="profile_of_sandbox"),
        ),
        migrations.AddIndex(
            model_name="identity",
            index=models.Index(fields=["profile"], name="identity_of_profile"),
        ),
        migrations.AddIndex(
            model_name="identity",
            index=models.Index(
                condition=models.Q(("crowd__isnull", False)),
                fields=["crowd"],
                name="identity_in_crowd",
            ),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.UniqueConstraint(
                fields=("sandbox", "namespace", "value"), name="identity_unique"
            ),
        ),
        migrations.AddIndex(
            model_name="searchterm",
            index=models.Index(
                fields=["sandbox", "kind", "term"],
                name="search_term_prefix",
                opclasses=["int8_ops", "text_pattern_ops", "text_pattern_ops"],
            ),
        ),
        migrations.RunSQL(STORAGE, "DROP SEQUENCE profiles_version"),
        *(cdp.tenancy.rls.SandboxSecurity(name) for name in TENANT_TABLES),
    ]
