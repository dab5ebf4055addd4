import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

from cdp.tenancy.rls import SandboxSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("schemas", "0001_initial"),
        ("segments", "0002_schedules"),
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LookUp",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
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
                (
                    "schema",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="schemas.schema",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="look_ups",
                        to="segments.segment",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("segment", "schema"), name="look_up_unique")
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        SandboxSecurity("lookup"),
    ]
