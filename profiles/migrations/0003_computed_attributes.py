import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import cdp.tenancy.ids
import cdp.tenancy.rls


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0002_batches"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ComputedValues",
            fields=[
                (
                    "profile",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="profiles.profile",
                    ),
                ),
                ("document", models.JSONField()),
                ("computed_at", models.DateTimeField()),
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
                "verbose_name_plural": "computed values",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ComputedAttribute",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="ca",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("title", models.CharField(blank=True, max_length=200)),
                ("description", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("disabled", "Disabled"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "function",
                    models.CharField(
                        choices=[
                            ("sum", "Sum"),
                            ("count", "Count"),
                            ("min", "Min"),
                            ("max", "Max"),
                            ("most_recent", "Most Recent"),
                            ("last", "Last"),
                        ],
                        max_length=12,
                    ),
                ),
                ("field", models.CharField(blank=True, max_length=500)),
                ("conditions", models.JSONField(blank=True, default=list)),
                ("lookback_length", models.PositiveSmallIntegerField()),
                (
                    "lookback_unit",
                    models.CharField(
                        choices=[
                            ("hours", "Hours"),
                            ("days", "Days"),
                            ("weeks", "Weeks"),
                            ("months", "Months"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "keep",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="Of `last`: how many values are kept."
                    ),
                ),
                ("evaluated_at", models.DateTimeField(editable=False, null=True)),
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
                        fields=("sandbox", "name"), name="computed_attribute_name_unique"
                    )
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        cdp.tenancy.rls.SandboxSecurity("computedattribute"),
        cdp.tenancy.rls.SandboxSecurity("computedvalues"),
    ]
