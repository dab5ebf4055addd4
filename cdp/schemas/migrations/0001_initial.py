import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import cdp.schemas.document_field
import cdp.tenancy.ids
import cdp.tenancy.rls


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Schema",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="sch",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("uri", models.CharField(max_length=500)),
                ("title", models.CharField(max_length=255)),
                ("description", models.TextField(blank=True, max_length=10000)),
                ("document", cdp.schemas.document_field.DocumentField()),
                ("resolved", cdp.schemas.document_field.DocumentField()),
                ("class_uri", models.CharField(max_length=500)),
                (
                    "behavior",
                    models.CharField(
                        choices=[("record", "Record"), ("time-series", "Time Series")],
                        max_length=11,
                    ),
                ),
                (
                    "references",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=500),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("profile_enabled_at", models.DateTimeField(blank=True, null=True)),
                ("identity_map_primary", models.BooleanField(default=False)),
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
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Descriptor",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="dsc",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("identity", "identity"),
                            ("label", "label"),
                            ("primary-key", "primary-key"),
                            ("version", "version"),
                            ("timestamp", "timestamp"),
                            ("granularity", "granularity"),
                            ("one-to-one", "one-to-one"),
                            ("reference-identity", "reference-identity"),
                            ("relationship", "relationship"),
                            ("alternate-display", "alternate-display"),
                            ("deprecated", "deprecated"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "paths",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=1000), size=10
                    ),
                ),
                ("settings", models.JSONField(blank=True, default=dict)),
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
                (
                    "destination",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referred_to_by",
                        to="schemas.schema",
                    ),
                ),
                (
                    "schema",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="descriptors",
                        to="schemas.schema",
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
        migrations.CreateModel(
            name="Component",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="cmp",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("class", "Class"),
                            ("field-group", "Field Group"),
                            ("data-type", "Data Type"),
                        ],
                        max_length=11,
                    ),
                ),
                ("uri", models.CharField(max_length=500)),
                ("title", models.CharField(max_length=255)),
                ("description", models.TextField(blank=True, max_length=10000)),
                ("document", cdp.schemas.document_field.DocumentField()),
                (
                    "references",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=500),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("imported", models.BooleanField(default=False)),
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
                "constraints": [
                    models.UniqueConstraint(fields=("sandbox", "uri"), name="component_uri_unique"),
                    models.UniqueConstraint(
                        condition=models.Q(("imported", False)),
                        fields=("sandbox", "kind", "title"),
                        name="component_title_unique",
                        violation_error_message="A title is used once per sandbox and kind.",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ResourceVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("resource_id", models.CharField(max_length=40)),
                ("version", models.PositiveIntegerField()),
                ("document", cdp.schemas.document_field.DocumentField()),
                ("changes", cdp.schemas.document_field.DocumentField()),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("actor_name", models.CharField(max_length=255)),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sandbox", "resource_id", "version"), name="resource_version_unique"
                    )
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name="schema",
            index=models.Index(
                condition=models.Q(("profile_enabled_at__isnull", False)),
                fields=["sandbox", "class_uri"],
                name="schema_union",
            ),
        ),
        migrations.AddConstraint(
            model_name="schema",
            constraint=models.UniqueConstraint(fields=("sandbox", "uri"), name="schema_uri_unique"),
        ),
        migrations.AddConstraint(
            model_name="schema",
            constraint=models.UniqueConstraint(
                fields=("sandbox", "title"),
                name="schema_title_unique",
                violation_error_message="A title is used once per sandbox and kind.",
            ),
        ),
        cdp.tenancy.rls.SandboxSecurity("component"),
        cdp.tenancy.rls.SandboxSecurity("schema"),
        cdp.tenancy.rls.SandboxSecurity("descriptor"),
        cdp.tenancy.rls.SandboxSecurity("resourceversion"),
    ]
