"""The activity log becomes insert-only and chained; its words and their salt move to a table beside it.

Rows of before are carried over, workspace by workspace, under the keys of the installation (KEYS, and the key
store, must be there). Each keeps its words, person and time, and waits for the sealer.
"""

import hashlib
import secrets

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.clock
import accounts.encryption
import accounts.tenancy
from accounts.tenancy import uuid7, workspace

KINDS = [("person", "A person"), ("key", "An API key"), ("product", "Outreach itself"), ("operator", "The operator")]
# First words of actions that are about something with another name.
OTHER_KINDS = {"contacts": "contact", "disavow": "project", "enrollment": "campaign", "links": "project"}


def _workspaces(apps):
    return list(apps.get_model("accounts", "Workspace").objects.order_by("pk").values_list("pk", flat=True))


def carry_over(apps, schema_editor):
    event, text = apps.get_model("accounts", "AuditEvent"), apps.get_model("accounts", "AuditText")
    for here in _workspaces(apps):
        with workspace(here):
            rows = event.objects.filter(workspace_id=here).select_related("old_actor").order_by("at", "id")
            for row in rows.iterator(chunk_size=500):
                salt, words = secrets.token_hex(16), row.sentence
                kind = row.action.partition(".")[0]
                text(pk=uuid7(), workspace_id=here, event_id=row.pk, sentence=words, salt=salt).save()
                event.objects.filter(pk=row.pk, workspace_id=here).update(
                    actor_id=row.old_actor.sid if row.old_actor else None,
                    actor_kind="person" if row.old_actor else "product",
                    object_kind=OTHER_KINDS.get(kind, kind)[:20],
                    digest=hashlib.sha256(f"{salt}{words}".encode()).digest(),
                )


def carry_back(apps, schema_editor):
    event, text = apps.get_model("accounts", "AuditEvent"), apps.get_model("accounts", "AuditText")
    user = apps.get_model("accounts", "User")
    for here in _workspaces(apps):
        with workspace(here):
            rows = text.objects.filter(workspace_id=here).select_related("event")
            for row in rows.iterator(chunk_size=500):
                there = user.objects.filter(sid=row.event.actor_id).values_list("pk", flat=True).first()
                event.objects.filter(pk=row.event_id, workspace_id=here).update(
                    old_actor_id=there, **accounts.encryption.seal(row.event, sentence=row.sentence)
                )


# What only grows must be changed this once: the wall's triggers stand aside and are back before the end. No
# reference may still wait for its check when a table's shape is changed.
STAND_ASIDE = "ALTER TABLE accounts_auditevent DISABLE TRIGGER USER"
STAND_AGAIN = "SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE accounts_auditevent ENABLE TRIGGER USER"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_sign_ins")]

    operations = [
        migrations.RunSQL(STAND_ASIDE, STAND_AGAIN),
        migrations.RenameField("auditevent", "actor", "old_actor"),
        migrations.AddField(
            "auditevent",
            "actor",
            models.ForeignKey(
                db_column="actor_sid",
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                to_field="sid",
            ),
        ),
        migrations.AddField(
            "auditevent", "actor_kind", models.CharField(choices=KINDS, default="product", max_length=8)
        ),
        migrations.AddField("auditevent", "credential", models.CharField(blank=True, default="", max_length=20)),
        migrations.AddField("auditevent", "object_kind", models.CharField(blank=True, default="", max_length=20)),
        migrations.AddField("auditevent", "place", models.CharField(blank=True, default="", max_length=43)),
        migrations.AddField("auditevent", "country", models.CharField(blank=True, default="", max_length=2)),
        migrations.AddField("auditevent", "device", models.CharField(blank=True, default="", max_length=60)),
        migrations.AddField("auditevent", "digest", models.BinaryField(default=b"", max_length=32)),
        migrations.CreateModel(
            "AuditText",
            fields=[
                ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                ("sentence", accounts.encryption.EncryptedTextField(default="")),
                ("salt", accounts.encryption.EncryptedTextField(default="")),
                ("sealed", models.BooleanField(default=False)),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="text", to="accounts.auditevent"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={"abstract": False, "base_manager_name": "objects", "default_manager_name": "objects"},
        ),
        migrations.CreateModel(
            "AuditSeal",
            fields=[
                ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                ("seq", models.PositiveBigIntegerField()),
                ("hash", models.BinaryField(max_length=32)),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="seal", to="accounts.auditevent"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={"abstract": False, "base_manager_name": "objects", "default_manager_name": "objects"},
        ),
        migrations.CreateModel(
            "AuditAnchor",
            fields=[
                ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("at", models.DateTimeField(db_default=accounts.clock.Now())),
                ("seq", models.PositiveBigIntegerField()),
                ("hash", models.BinaryField(max_length=32)),
                ("fault", models.CharField(blank=True, max_length=200)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={"abstract": False, "base_manager_name": "objects", "default_manager_name": "objects"},
        ),
        # On the way back the column is filled before it must be.
        migrations.RunSQL(
            "ALTER TABLE accounts_auditevent ALTER COLUMN sentence DROP NOT NULL",
            "SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE accounts_auditevent ALTER COLUMN sentence SET NOT NULL",
            state_operations=[
                migrations.AlterField(
                    "auditevent", "sentence", accounts.encryption.EncryptedTextField(null=True)
                )
            ],
        ),
        migrations.RunPython(carry_over, carry_back),
        migrations.RunSQL(STAND_AGAIN, STAND_ASIDE),
        migrations.RemoveField("auditevent", "sentence"),
        migrations.RemoveField("auditevent", "old_actor"),
        migrations.AlterField("auditevent", "credential", models.CharField(blank=True, max_length=20)),
        migrations.AlterField("auditevent", "object_kind", models.CharField(blank=True, max_length=20)),
        migrations.AlterField("auditevent", "place", models.CharField(blank=True, max_length=43)),
        migrations.AlterField("auditevent", "country", models.CharField(blank=True, max_length=2)),
        migrations.AlterField("auditevent", "device", models.CharField(blank=True, max_length=60)),
        migrations.AlterField("auditevent", "digest", models.BinaryField(max_length=32)),
        migrations.AddIndex(
            "auditevent", models.Index(fields=["workspace", "actor", "-at", "-id"], name="audit_by_actor")
        ),
        migrations.AddIndex(
            "auditevent", models.Index(fields=["workspace", "object_kind", "-at", "-id"], name="audit_by_kind")
        ),
        migrations.AddIndex(
            "auditevent", models.Index(fields=["workspace", "object_id", "-at", "-id"], name="audit_by_object")
        ),
        migrations.AddIndex(
            "audittext",
            models.Index(condition=models.Q(sealed=False), fields=["workspace"], name="audit_text_unsealed"),
        ),
        migrations.AddConstraint(
            "auditseal", models.UniqueConstraint(fields=("workspace", "seq"), name="one_seal_per_seq")
        ),
        migrations.AddConstraint(
            "auditanchor", models.UniqueConstraint(fields=("workspace", "day"), name="one_anchor_per_day")
        ),
    ]
