import cdp.tenancy.ids
import cdp.tenancy.rls
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("profiles", "0001_initial"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(editable=False)),
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
                ("at", models.DateTimeField(help_text="The moment it answers for.")),
                ("changes", models.BinaryField(default=bytes)),
                ("entered", models.BigIntegerField(default=0)),
                ("exited", models.BigIntegerField(default=0)),
                ("settled_at", models.DateTimeField(null=True)),
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
                    models.Index(fields=["sandbox", "number"], name="evaluation_newest"),
                    models.Index(
                        condition=models.Q(("settled_at__isnull", True)),
                        fields=["sandbox", "number"],
                        name="evaluation_unsettled",
                    ),
                ],
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["at"], name="recheck_due")],
            },
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
            options={
                "indexes": [models.Index(fields=["sandbox", "state"], name="segment_state")],
                "constraints": [
                    models.UniqueConstraint(fields=("sandbox", "name"), name="segment_name_unique")
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.RunSQL(
            "CREATE SEQUENCE segments_evaluation_number",
            "DROP SEQUENCE segments_evaluation_number",
        ),
        cdp.tenancy.rls.SandboxSecurity("segment"),
        cdp.tenancy.rls.SandboxSecurity("evaluation"),
        cdp.tenancy.rls.SandboxSecurity("recheck"),
    ]
