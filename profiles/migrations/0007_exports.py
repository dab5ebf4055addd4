import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import cdp.tenancy.ids
import cdp.tenancy.rls


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0006_profiles_of_a_request"),
        ("tenancy", "0002_labels_of_roles"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProfileExport",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="pex",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=200)),
                (
                    "target",
                    models.CharField(
                        choices=[("file", "File"), ("dataset", "Dataset")], max_length=8
                    ),
                ),
                ("dataset_id", models.CharField(blank=True, max_length=40)),
                (
                    "format",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("json_lines", "Json Lines"),
                            ("csv", "Csv"),
                            ("parquet", "Parquet"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "compression",
                    models.CharField(
                        choices=[("none", "None"), ("gzip", "Gzip")], default="none", max_length=4
                    ),
                ),
                (
                    "parts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10), default=list, size=None
                    ),
                ),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=500),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("merge_policy_id", models.CharField(blank=True, max_length=40)),
                (
                    "segments",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "segment_statuses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("changed_since", models.DateTimeField(blank=True, null=True)),
                ("events_since", models.DateTimeField(blank=True, null=True)),
                (
                    "event_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "marketing_actions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=63),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        default=list,
                        editable=False,
                        size=None,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("submitted", "Submitted"),
                            ("processing", "Processing"),
                            ("complete", "Complete"),
                            ("cancelled", "Cancelled"),
                            ("error", "Error"),
                            ("expired", "its file is not kept any more"),
                            ("erased", "somebody in its file was erased, and the file with her"),
                        ],
                        default="submitted",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("detail", models.TextField(blank=True, editable=False)),
                ("job_id", models.CharField(blank=True, editable=False, max_length=40)),
                ("position", models.BigIntegerField(default=0, editable=False)),
                ("outdated", models.PositiveIntegerField(default=0, editable=False)),
                ("profiles", models.BigIntegerField(default=0, editable=False)),
                ("size", models.BigIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(editable=False, null=True)),
                ("completed_at", models.DateTimeField(editable=False, null=True)),
                ("expires_at", models.DateTimeField(editable=False, null=True)),
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
                "indexes": [
                    models.Index(fields=["sandbox", "-id"], name="profile_export_newest"),
                    models.Index(
                        condition=models.Q(("state", "complete")),
                        fields=["sandbox", "expires_at"],
                        name="profile_export_kept",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        cdp.tenancy.rls.SandboxSecurity("profileexport"),
    ]
