from django.db import migrations

# Whether a mailbox may be called now (mailbox/oauth.py): asked right before each request to a provider is
# written. A function is planned once a connection. It runs with the caller's rights and reads only.
CREATE = """
CREATE FUNCTION mailbox_is_living(of_workspace uuid, of_mailbox uuid, of_generation integer)
RETURNS boolean LANGUAGE plpgsql STABLE SECURITY INVOKER AS $$
BEGIN
    RETURN EXISTS (
        SELECT 1 FROM mailbox_mailbox m
            JOIN mailbox_credential c ON c.mailbox_id = m.id AND c.generation = m.generation
            JOIN accounts_workspace w ON w.id = m.workspace_id
            JOIN accounts_membership b ON b.workspace_id = m.workspace_id AND b.user_id = m.owner_id
            JOIN accounts_user u ON u.id = b.user_id
        WHERE m.workspace_id = of_workspace AND m.id = of_mailbox AND m.generation = of_generation
            AND m.state NOT IN ('revoked', 'broken') AND w.suspended_at IS NULL AND u.is_active);
END
$$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('mailbox', '0004_where_an_account_is_connected'),
    ]

    operations = [
        migrations.RunSQL(
            sql=CREATE, reverse_sql='DROP FUNCTION mailbox_is_living(uuid, uuid, integer)'
        ),
    ]
