"""Ids of one prefix name one kind of thing."""

from django.db import migrations

import cdp.tenancy.ids


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0005_batches_for_others"),
    ]

    operations = [
        migrations.AlterField(
            model_name="flowrun",
            name="id",
            field=cdp.tenancy.ids.PublicIdField(
                editable=False, max_length=40, prefix="frn", primary_key=True, serialize=False
            ),
        ),
    ]
