from typing import Any

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import cdp.tenancy.rls

MEMBERS = """
UPDATE profiles_profile AS profile SET members = own.members
FROM (
    SELECT profile_id, array_agg(id ORDER BY id) AS members FROM profiles_identity
    GROUP BY profile_id
) AS own
WHERE own.profile_id = profile.id
"""

# Room on the page for an identity's row with another profile.
ROOM = "ALTER TABLE profiles_identity SET (fillfactor = 80)"
NO_ROOM = "ALTER TABLE profiles_identity RESET (fillfactor)"


def write_members(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(MEMBERS)


class Migration(migrations.Migration):
    dependencies = [("profiles", "0007_exports")]

    operations = [
        migrations.AddField(
            model_name="profile",
            name="members",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), default=list, size=None
            ),
        ),
        cdp.tenancy.rls.BypassRunPython(write_members, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name="identity", name="identity_of_profile"),
        migrations.AlterField(
            model_name="identity",
            name="profile",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="profiles.profile",
            ),
        ),
        migrations.RunSQL(ROOM, NO_ROOM),
    ]
