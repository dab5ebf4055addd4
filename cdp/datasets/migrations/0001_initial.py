import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import cdp.tenancy.ids
import cdp.tenancy.rls


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("schemas", "0001_initial"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Dataset",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="ds",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                (
                    "behavior",
                    models.CharField(
                        choices=[("record", "Record"), ("time-series", "Time Series")],
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("profile_enabled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "identity_enabled",
                    models.BooleanField(
                        default=False,
                        help_text="Its identities join the graph even if Profile is not enabled.",
                    ),
                ),
                (
                    "upsert",
                    models.BooleanField(
                        default=False, help_text="A new row changes only the fields it names."
                    ),
                ),
                (
                    "dedup_days",
                    models.PositiveSmallIntegerField(
                        default=90,
                        help_text="An event sent again within so many days is counted once.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(730),
                        ],
                    ),
                ),
                (
                    "retention_days",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                ("tags", models.JSONField(blank=True, default=dict)),
                (
                    "labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("field_labels", models.JSONField(blank=True, default=dict)),
                ("system", models.BooleanField(default=False, editable=False)),
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
                    "schema",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="schemas.schema",
                    ),
                ),
            ],
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Inlet",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="inl",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("xdm", "XDM streaming messages"),
                            ("segment", "Segment-compatible trackers"),
                            ("edge", "Adobe Web SDK"),
                        ],
                        max_length=8,
                    ),
                ),
                ("requires_key", models.BooleanField(default=True)),
                ("enabled", models.BooleanField(default=True)),
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
            ],
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="InletDataset",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="datasets.dataset",
                    ),
                ),
                (
                    "inlet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="routes",
                        to="datasets.inlet",
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
                "ordering": ("position",),
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name="inlet",
            name="datasets",
            field=models.ManyToManyField(
                related_name="+", through="datasets.InletDataset", to="datasets.dataset"
            ),
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="rcp",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("inlet_id", models.CharField(blank=True, max_length=40)),
                ("batch_id", models.CharField(blank=True, max_length=40)),
                ("received_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField()),
                ("records", models.PositiveIntegerField()),
                ("stored", models.PositiveIntegerField()),
                ("duplicates", models.PositiveIntegerField()),
                ("rejected", models.PositiveIntegerField()),
                ("ids_assigned", models.PositiveIntegerField()),
                ("fates", models.TextField()),
                (
                    "sandbox",
                    models.ForeignKey(
                        db_index=False,
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
            name="RejectedRecord",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="rej",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("receipt_id", models.CharField(max_length=40)),
                ("position", models.PositiveIntegerField()),
                ("batch_id", models.CharField(blank=True, max_length=40)),
                (
                    "operation",
                    models.CharField(
                        choices=[("create", "Create"), ("merge", "Merge"), ("delete", "Delete")],
                        default="create",
                        max_length=8,
                    ),
                ),
                ("dedup_scope", models.CharField(blank=True, max_length=40)),
                ("raw", models.TextField()),
                ("errors", models.JSONField()),
                ("received_at", models.DateTimeField()),
                ("replayed_at", models.DateTimeField(blank=True, null=True)),
                ("replay_receipt_id", models.CharField(blank=True, max_length=40)),
                (
                    "dataset",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="datasets.dataset",
                    ),
                ),
                (
                    "sandbox",
                    models.ForeignKey(
                        db_index=False,
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
        migrations.AddConstraint(
            model_name="dataset",
            constraint=models.UniqueConstraint(
                fields=("sandbox", "name"), name="dataset_name_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="inletdataset",
            constraint=models.UniqueConstraint(
                fields=("inlet", "dataset"), name="inlet_dataset_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="inlet",
            constraint=models.UniqueConstraint(
                fields=("sandbox", "name"), name="inlet_name_unique"
            ),
        ),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(fields=["sandbox", "-id"], name="receipt_newest"),
        ),
        migrations.AddIndex(
            model_name="rejectedrecord",
            index=models.Index(fields=["sandbox", "dataset", "-id"], name="rejected_by_dataset"),
        ),
        migrations.AddIndex(
            model_name="rejectedrecord",
            index=models.Index(fields=["sandbox", "batch_id"], name="rejected_by_batch"),
        ),
        migrations.AddConstraint(
            model_name="rejectedrecord",
            constraint=models.UniqueConstraint(
                fields=("sandbox", "receipt_id", "position"), name="rejected_record_once"
            ),
        ),
        cdp.tenancy.rls.SandboxSecurity("dataset"),
        cdp.tenancy.rls.SandboxSecurity("inlet"),
        cdp.tenancy.rls.SandboxSecurity("inletdataset"),
        cdp.tenancy.rls.SandboxSecurity("receipt"),
        cdp.tenancy.rls.SandboxSecurity("rejectedrecord"),
    ]
