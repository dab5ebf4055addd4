import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="role",
            name="labels",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=63), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="sandbox",
            name="guards_labels",
            field=models.BooleanField(
                default=False,
                help_text="Labelled fields are shown only to roles that carry the labels.",
            ),
        ),
    ]
