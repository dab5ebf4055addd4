import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import cdp.tenancy.ids
import cdp.tenancy.rls


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("profiles", "0003_computed_attributes"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("turn", models.BigIntegerField(editable=False, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("full", "everybody, under all published segments"),
                            ("touched", "profiles that have changed"),
                            ("due", "profiles whose answer changes with time"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("scanning", "Scanning"),
                            ("comparing", "Comparing"),
                            ("telling", "Telling"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="done",
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "wanted",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        default=list,
                        editable=False,
                        size=None,
                    ),
                ),
                ("asked", models.JSONField(default=dict, editable=False)),
                ("at", models.DateTimeField(help_text="The moment it answers for.")),
                ("changes", models.BinaryField(null=True)),
                ("entered", models.BigIntegerField(default=0)),
                ("exited", models.BigIntegerField(default=0)),
                ("attempts", models.PositiveIntegerField(default=0, editable=False)),
                ("told_to", models.BigIntegerField(default=0, editable=False)),
                (
                    "total",
                    models.BigIntegerField(
                        editable=False, help_text="Profiles whose changes are told.", null=True
                    ),
                ),
                ("told", models.BigIntegerField(default=0, editable=False)),
                ("cancel_wanted", models.BooleanField(default=False, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
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
            name="Meanwhile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "profiles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                (
                    "evaluation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="meanwhile",
                        to="segments.evaluation",
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
                "abstract": False,
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Recheck",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "sandbox_id",
                        "profile_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("profile_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
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
            name="Segment",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="seg",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                ("rule", models.JSONField()),
                (
                    "references",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        default=list,
                        editable=False,
                        size=None,
                    ),
                ),
                (
                    "labels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("inactive", "Inactive"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("size", models.BigIntegerField(default=0, editable=False)),
                ("evaluated_at", models.DateTimeField(editable=False, null=True)),
                ("published_at", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "merge_policy",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty for the sandbox's default policy.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="profiles.mergepolicy",
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
        migrations.CreateModel(
            name="SegmentSize",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("size", models.BigIntegerField()),
                (
                    "sandbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sizes",
                        to="segments.segment",
                    ),
                ),
            ],
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="SegmentVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("rule", models.JSONField()),
                ("actor_name", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "sandbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="segments.segment",
                    ),
                ),
            ],
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("planned_to", models.DateTimeField()),
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
                "constraints": [models.UniqueConstraint(fields=("sandbox",), name="alarm_one")],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name="evaluation",
            index=models.Index(fields=["sandbox", "created_at"], name="evaluation_newest"),
        ),
        migrations.AddIndex(
            model_name="evaluation",
            index=models.Index(
                condition=models.Q(("changes__isnull", False)),
                fields=["sandbox", "turn"],
                name="evaluation_unsettled",
            ),
        ),
        migrations.AddIndex(
            model_name="evaluation",
            index=models.Index(
                condition=models.Q(("state__in", ("done", "cancelled")), _negated=True),
                fields=["sandbox"],
                name="evaluation_open",
            ),
        ),
        migrations.AddIndex(
            model_name="recheck",
            index=models.Index(fields=["sandbox", "at"], name="recheck_of_sandbox"),
        ),
        migrations.AddIndex(
            model_name="segment",
            index=models.Index(fields=["sandbox", "state"], name="segment_state"),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.UniqueConstraint(
                fields=("sandbox", "name"), name="segment_name_unique"
            ),
        ),
        migrations.AddIndex(
            model_name="segmentsize",
            index=models.Index(fields=["segment", "at"], name="segment_size_by_time"),
        ),
        migrations.AddConstraint(
            model_name="segmentversion",
            constraint=models.UniqueConstraint(
                fields=("segment", "number"), name="segment_version_unique"
            ),
        ),
        migrations.RunSQL("CREATE SEQUENCE segments_turn", "DROP SEQUENCE segments_turn"),
        cdp.tenancy.rls.SandboxSecurity("evaluation"),
        cdp.tenancy.rls.SandboxSecurity("meanwhile"),
        cdp.tenancy.rls.SandboxSecurity("recheck"),
        cdp.tenancy.rls.SandboxSecurity("segment"),
        cdp.tenancy.rls.SandboxSecurity("segmentsize"),
        cdp.tenancy.rls.SandboxSecurity("segmentversion"),
        cdp.tenancy.rls.SandboxSecurity("alarm"),
    ]
