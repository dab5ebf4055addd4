"""Jobs."""

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import cdp.tenancy.ids
from cdp.tenancy.rls import SandboxSecurity


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    cdp.tenancy.ids.PublicIdField(
                        editable=False,
                        max_length=40,
                        prefix="job",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(max_length=80)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("params", models.JSONField(default=dict)),
                ("result", models.JSONField(null=True)),
                ("done", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(null=True)),
                ("failed", models.BigIntegerField(default=0)),
                ("errors", models.JSONField(default=list)),
                ("detail", models.TextField(default="")),
                ("actor", models.JSONField()),
                ("runs", models.SmallIntegerField(default=0)),
                ("cancel_requested_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
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
                    models.Index(fields=["sandbox", "-id"], name="job_newest"),
                    models.Index(fields=["sandbox", "state", "-id"], name="job_state"),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        SandboxSecurity("job"),
    ]
