"""Sign-ins as rows, and the count that every session of a person hangs on."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.clock


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_key_rotation")]

    operations = [
        migrations.AddField(
            model_name="user", name="session_round", field=models.PositiveIntegerField(default=0)
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(db_default=accounts.clock.Now())),
                ("device", models.CharField(blank=True, max_length=60)),
                ("ip", models.GenericIPAddressField(null=True)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("method", models.CharField(blank=True, max_length=40)),
                ("new_browser", models.BooleanField(default=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ins",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user", "-at", "-id"], name="sign_ins_newest_first"),
                    models.Index(fields=["at"], name="sign_ins_by_age"),
                ],
            },
        ),
    ]
