import django.db.models.functions.datetime
from django.db import migrations, models

from accounts.keyring.keystore import KEYSTORE, keep_platform_key


def keep(apps, schema_editor):
    if schema_editor.connection.alias == KEYSTORE:
        keep_platform_key(apps.get_model("accounts", "WorkspaceKey"))


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0002_invitations_and_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeyRotation",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "started_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("finished_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AlterField(
            model_name="workspacekey",
            name="created_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AlterField(
            model_name="workspacekey",
            name="purpose",
            field=models.CharField(max_length=40),
        ),
        # The hint sends it to the key store's database.
        migrations.RunPython(keep, migrations.RunPython.noop, hints={"model_name": "workspacekey"}),
    ]
