import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import cdp.tenancy.ids
import cdp.tenancy.rls


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0001_initial"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="bat",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("external_id", models.CharField(blank=True, max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("loading", "Files are being uploaded"),
                            ("loaded", "Complete, waits for its turn"),
                            ("staging", "All rows are being judged"),
                            ("processing", "Rows are being stored"),
                            ("retrying", "Something was away; tried again soon"),
                            ("stalled", "Tried in vain; waits for a person"),
                            ("success", "Stored"),
                            ("failed", "Too many bad rows, or an unreadable file"),
                            ("aborted", "Given up by the client"),
                            ("abandoned", "Never completed in time"),
                            ("reverting", "Rows are being taken back"),
                            ("inactive", "Taken back"),
                        ],
                        default="loading",
                        max_length=12,
                    ),
                ),
                (
                    "input_format",
                    models.CharField(
                        choices=[
                            ("json", "JSON, a record a line"),
                            ("json-array", "JSON, one array of records"),
                            ("csv", "Csv"),
                            ("parquet", "Parquet"),
                        ],
                        max_length=10,
                    ),
                ),
                ("format_options", models.JSONField(blank=True, default=dict)),
                ("partial_percent", models.FloatField(blank=True, null=True)),
                ("error_diagnostics", models.BooleanField(default=True)),
                ("tags", models.JSONField(blank=True, default=dict)),
                (
                    "replaces",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("files_of", models.CharField(blank=True, max_length=40)),
                ("flow_run_id", models.CharField(blank=True, max_length=40)),
                ("errors", models.JSONField(blank=True, default=list)),
                ("reason", models.TextField(blank=True)),
                ("input_files", models.PositiveIntegerField(default=0)),
                ("input_bytes", models.PositiveBigIntegerField(default=0)),
                ("input_records", models.PositiveBigIntegerField(default=0)),
                ("failed_records", models.PositiveBigIntegerField(default=0)),
                ("stored_records", models.PositiveBigIntegerField(default=0)),
                ("duplicate_records", models.PositiveBigIntegerField(default=0)),
                ("chunks", models.PositiveIntegerField(default=0)),
                ("chunks_published", models.PositiveIntegerField(default=0)),
                ("chunks_stored", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="datasets.dataset",
                    ),
                ),
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
                "verbose_name_plural": "batches",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="BatchFile",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="fil",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("pieces", models.JSONField(default=list)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("complete", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="datasets.batch",
                    ),
                ),
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
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["sandbox", "dataset", "-id"], name="batch_of_dataset"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(
                condition=models.Q(("state", "loading")),
                fields=["state", "updated_at"],
                name="batch_loading",
            ),
        ),
        migrations.AddConstraint(
            model_name="batchfile",
            constraint=models.UniqueConstraint(
                fields=("batch", "name"), name="batch_file_name_unique"
            ),
        ),
        cdp.tenancy.rls.SandboxSecurity("batch"),
        cdp.tenancy.rls.SandboxSecurity("batchfile"),
    ]
