"""The queue's tables, set up for rows that come and go all the time."""

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

from cdp.tenancy.rls import SandboxSecurity

# Autovacuum goes by a fixed number of dead rows: a share of a table that is usually empty means
# nothing. The free space keeps the new version of a claimed row on its page.
TUNE = """
ALTER TABLE queue_queueitem SET (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 5000,
    toast.autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_threshold = 5000,
    toast.autovacuum_vacuum_cost_delay = 0
);
-- A body lives for seconds: compressing it takes longer than writing it (80 KB: 2.5 ms against 1.4).
ALTER TABLE queue_queueitem ALTER COLUMN body SET STORAGE EXTERNAL;
"""
UNTUNE = """
ALTER TABLE queue_queueitem RESET (fillfactor);
ALTER TABLE queue_queueitem ALTER COLUMN body SET STORAGE EXTENDED;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("tenancy", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="PeriodicRun",
            fields=[
                ("name", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("due_at", models.DateTimeField()),
                ("runner", models.UUIDField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="QueueItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("topic", models.CharField(max_length=64)),
                ("key", models.CharField(max_length=80, null=True)),
                ("payload", models.JSONField()),
                ("body", models.BinaryField(null=True)),
                ("count", models.IntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("available_at", models.DateTimeField()),
                ("claim", models.UUIDField(null=True)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("deaths", models.SmallIntegerField(default=0)),
                ("error", models.TextField(default="")),
                ("buried_at", models.DateTimeField(null=True)),
                (
                    "sandbox",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenancy.sandbox",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(buried_at=None),
                        fields=["topic", "sandbox", "available_at", "id"],
                        name="queue_waiting",
                    ),
                    models.Index(
                        condition=models.Q(claim__isnull=False),
                        fields=["topic", "sandbox", "claim"],
                        name="queue_claimed",
                    ),
                    models.Index(
                        condition=models.Q(key__isnull=False),
                        fields=["sandbox", "key"],
                        name="queue_key",
                    ),
                    models.Index(
                        condition=models.Q(buried_at__isnull=False),
                        fields=["sandbox", "id"],
                        name="queue_buried",
                    ),
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        SandboxSecurity("queueitem"),
        migrations.RunSQL(TUNE, UNTUNE),
    ]
