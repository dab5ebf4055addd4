from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="fragment",
            name="batch_id",
            field=models.CharField(
                blank=True, help_text="The batch that wrote it last.", max_length=40
            ),
        ),
        migrations.AddField(
            model_name="identitylink",
            name="batch_id",
            field=models.CharField(
                blank=True,
                help_text="The batch that alone has named both, if one has.",
                max_length=40,
            ),
        ),
    ]
