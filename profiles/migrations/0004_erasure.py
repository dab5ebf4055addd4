import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import cdp.tenancy.ids
import cdp.tenancy.rls


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0003_computed_attributes"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeletionOrder",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="del",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("profiles", "Profiles"),
                            ("dataset", "Dataset"),
                            ("records", "Records"),
                        ],
                        max_length=8,
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=200)),
                ("dataset_id", models.CharField(blank=True, max_length=40)),
                (
                    "profiles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), blank=True, default=list, size=None
                    ),
                ),
                ("identities", models.JSONField(default=list)),
                ("count", models.PositiveIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("submitted", "Submitted"),
                            ("processing", "Processing"),
                            ("complete", "Complete"),
                            ("error", "Error"),
                        ],
                        default="submitted",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("receipts", models.JSONField(default=dict, editable=False)),
                ("job_id", models.CharField(blank=True, editable=False, max_length=40)),
                ("detail", models.TextField(blank=True, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("completed_at", models.DateTimeField(editable=False, null=True)),
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
                    models.Index(fields=["sandbox", "kind", "-id"], name="deletion_newest")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="PrivacyJob",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="prv",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[("access", "Access"), ("delete", "Delete")], max_length=8
                    ),
                ),
                (
                    "regulation",
                    models.CharField(
                        choices=[
                            ("gdpr", "Gdpr"),
                            ("ccpa", "Ccpa"),
                            ("cpra_ca_usa", "Cpra"),
                            ("lgpd_bra", "Lgpd"),
                            ("apa_aus", "Apa"),
                            ("hipaa_usa", "Hipaa"),
                            ("pdpa_tha", "Pdpa"),
                            ("nzpa_nzl", "Nzpa"),
                            ("ql25_qc_can", "Ql25"),
                            ("none", "None"),
                        ],
                        max_length=16,
                    ),
                ),
                ("user_key", models.CharField(blank=True, max_length=200)),
                ("identities", models.JSONField(default=list)),
                ("expand", models.BooleanField(default=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("submitted", "Submitted"),
                            ("processing", "Processing"),
                            ("complete", "Complete"),
                            ("error", "Error"),
                        ],
                        default="submitted",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("receipts", models.JSONField(default=dict, editable=False)),
                ("job_id", models.CharField(blank=True, editable=False, max_length=40)),
                ("detail", models.TextField(blank=True, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("completed_at", models.DateTimeField(editable=False, null=True)),
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
                "indexes": [models.Index(fields=["sandbox", "-id"], name="privacy_job_newest")],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="RetentionSettings",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="ret",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "anonymous_namespaces",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("anonymous_days", models.PositiveIntegerField(blank=True, null=True)),
                ("swept_at", models.DateTimeField(editable=False, null=True)),
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
                "verbose_name_plural": "retention settings",
                "constraints": [
                    models.UniqueConstraint(fields=("sandbox",), name="retention_settings_one")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                ("hash", models.UUIDField(primary_key=True, serialize=False)),
                ("erased_at", models.DateTimeField()),
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
                "indexes": [models.Index(fields=["sandbox"], name="suppression_of_sandbox")],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        cdp.tenancy.rls.SandboxSecurity("deletionorder"),
        cdp.tenancy.rls.SandboxSecurity("privacyjob"),
        cdp.tenancy.rls.SandboxSecurity("retentionsettings"),
        cdp.tenancy.rls.SandboxSecurity("suppression"),
    ]
