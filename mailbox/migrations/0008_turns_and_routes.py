import accounts.encryption
import django.db.models.deletion
from django.db import migrations, models

# Runs with the caller's rights. A mailbox that is in hand, or waits for its provider, is due behind that.
KEEP = """
CREATE FUNCTION mailbox_keep_turn() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM mailbox_pollturn WHERE id = OLD.id;
        RETURN NULL;
    END IF;
    IF NEW.state NOT IN ('connected', 'throttled') THEN
        DELETE FROM mailbox_pollturn WHERE id = NEW.id;
        RETURN NULL;
    END IF;
    INSERT INTO mailbox_pollturn (id, workspace_id, due_at) VALUES (
        NEW.id, NEW.workspace_id,
        coalesce(
            greatest(
                NEW.next_poll_at, NEW.poll_lease_until,
                CASE WHEN NEW.state = 'throttled' THEN NEW.throttled_until END
            ),
            NEW.connected_at
        )
    ) ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, workspace_id = excluded.workspace_id;
    RETURN NULL;
END
$$
"""
TRIGGERS = """
CREATE TRIGGER keep_turn AFTER INSERT OR DELETE ON mailbox_mailbox
    FOR EACH ROW EXECUTE FUNCTION mailbox_keep_turn();
CREATE TRIGGER keep_turn_of_change
    AFTER UPDATE OF state, next_poll_at, poll_lease_until, throttled_until ON mailbox_mailbox
    FOR EACH ROW EXECUTE FUNCTION mailbox_keep_turn();
"""
FILL = """
INSERT INTO mailbox_pollturn (id, workspace_id, due_at)
SELECT id, workspace_id, coalesce(greatest(next_poll_at, poll_lease_until), connected_at)
FROM mailbox_mailbox WHERE state IN ('connected', 'throttled');
INSERT INTO mailbox_pushroute (id, workspace_id, renew_at)
SELECT id, workspace_id, app_now() FROM mailbox_mailbox WHERE state <> 'revoked';
"""
# One look across workspaces: of each workspace the one that has waited longest, then of each the second.
DUE = """
CREATE FUNCTION mailbox_due_turns(most integer)
RETURNS TABLE (workspace uuid, mailbox uuid)
LANGUAGE sql STABLE SECURITY INVOKER AS $$
    SELECT x.workspace_id, x.id
    FROM (
        SELECT t.workspace_id, t.id, t.due_at,
            row_number() OVER (PARTITION BY t.workspace_id ORDER BY t.due_at, t.id) AS turn
        FROM mailbox_pollturn t JOIN accounts_workspace w ON w.id = t.workspace_id
        WHERE t.due_at <= app_now() AND w.suspended_at IS NULL
    ) x
    ORDER BY x.turn, x.due_at, x.id LIMIT most
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_mails_anchors"),
        ("mailbox", "0007_living_keeps_its_plan"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailbox",
            name="watch_id",
            field=accounts.encryption.EncryptedTextField(default="", null=True),
        ),
        migrations.CreateModel(
            name="PollTurn",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("due_at", models.DateTimeField()),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["due_at"], name="poll_turn_by_time")]},
        ),
        migrations.CreateModel(
            name="PushRoute",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("route", models.BinaryField(max_length=32, null=True, unique=True)),
                ("proof", models.BinaryField(max_length=32, null=True)),
                ("renew_at", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["renew_at"], name="push_route_by_renewal")]},
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(KEEP, "DROP FUNCTION mailbox_keep_turn"),
        migrations.RunSQL(
            TRIGGERS,
            "DROP TRIGGER keep_turn ON mailbox_mailbox; DROP TRIGGER keep_turn_of_change ON mailbox_mailbox",
        ),
        migrations.RunSQL(DUE, "DROP FUNCTION mailbox_due_turns"),
    ]
