from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0002_labels_of_roles"),
    ]

    operations = [
        migrations.AddField(
            model_name="sandbox",
            name="state",
            field=models.CharField(
                choices=[("active", "Active"), ("resetting", "Resetting")],
                default="active",
                editable=False,
                max_length=9,
            ),
        ),
    ]
