"""Ids of one prefix name one kind of thing."""

from django.db import migrations

import cdp.tenancy.ids


class Migration(migrations.Migration):
    dependencies = [
        ("segments", "0004_compositions_and_uploads"),
    ]

    operations = [
        migrations.AlterField(
            model_name="composition",
            name="id",
            field=cdp.tenancy.ids.PublicIdField(
                editable=False, max_length=40, prefix="cps", primary_key=True, serialize=False
            ),
        ),
        migrations.AlterField(
            model_name="segmentschedule",
            name="id",
            field=cdp.tenancy.ids.PublicIdField(
                editable=False, max_length=40, prefix="sgs", primary_key=True, serialize=False
            ),
        ),
    ]
