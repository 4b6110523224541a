from django.db import migrations

# The first and the last statement of a look into a mailbox (outreach/looks.py): functions, planned once a
# connection. Both run with the caller's rights.
BEGIN = """
CREATE FUNCTION outreach_begin_look(
    of_workspace uuid, of_mailbox uuid, of_generation integer, only_due boolean, lease interval,
    soon interval, margin interval
)
RETURNS TABLE (box mailbox_mailbox, credential mailbox_credential, follows boolean, confirmed boolean)
LANGUAGE plpgsql VOLATILE SECURITY INVOKER SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    moment timestamptz := app_now();
BEGIN
    -- A provider's wait that is over ends here.
    UPDATE mailbox_mailbox m SET
        poll_lease_until = moment + lease, next_poll_at = NULL, state = 'connected', throttled_until = NULL,
        state_reason = CASE WHEN m.state = 'throttled' THEN '' ELSE m.state_reason END,
        state_at = CASE WHEN m.state = 'throttled' THEN moment ELSE m.state_at END
    WHERE m.workspace_id = of_workspace AND m.id = of_mailbox
        AND (of_generation IS NULL OR m.generation = of_generation)
        AND (m.poll_lease_until IS NULL OR m.poll_lease_until <= moment)
        AND (NOT only_due OR m.next_poll_at IS NULL OR m.next_poll_at <= moment)
        AND (m.state = 'connected' OR m.state = 'throttled' AND m.throttled_until <= moment)
        AND EXISTS (
            SELECT 1 FROM accounts_workspace w WHERE w.id = of_workspace AND w.suspended_at IS NULL)
    RETURNING m.* INTO box;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT c.* INTO credential FROM mailbox_credential c
    WHERE c.workspace_id = of_workspace AND c.mailbox_id = of_mailbox AND c.generation = box.generation
        AND c.access_token IS NOT NULL AND c.access_expires_at > moment + margin;
    follows := EXISTS (
        SELECT 1 FROM outreach_message x JOIN outreach_step s ON s.id = x.step_id
        WHERE x.workspace_id = of_workspace AND x.mailbox_id = of_mailbox
            AND x.state IN ('planned', 'queued', 'claimed', 'drafted', 'deferred') AND s.position > 1
            AND x.due_at <= moment + soon AND (x.not_before IS NULL OR x.not_before <= moment + soon)
            AND x.thread_id IS NOT NULL);
    confirmed := EXISTS (
        SELECT 1 FROM outreach_suggestion x
        WHERE x.workspace_id = of_workspace AND x.mailbox_id = of_mailbox AND x.state = 'yes'
            AND x.stored_at IS NULL);
    RETURN NEXT;
END
$$
"""
FINISH = """
CREATE FUNCTION outreach_finish_look(
    of_workspace uuid, of_mailbox uuid, of_generation integer, at_once boolean, short interval, long interval,
    fresh interval, seen boolean, place bytea
)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY INVOKER SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    moment timestamptz := app_now();
    pause interval := interval '0';
BEGIN
    IF NOT at_once THEN
        pause := CASE
            WHEN EXISTS (
                SELECT 1 FROM outreach_message x
                WHERE x.workspace_id = of_workspace AND x.mailbox_id = of_mailbox
                    AND x.state IN ('planned', 'queued', 'deferred'))
            OR EXISTS (
                SELECT 1 FROM outreach_message x
                WHERE x.workspace_id = of_workspace AND x.mailbox_id = of_mailbox AND x.state = 'sent'
                    AND x.sent_at > moment - fresh)
            THEN short ELSE long END;
    END IF;
    UPDATE mailbox_mailbox m SET
        poll_lease_until = NULL, next_poll_at = coalesce(m.next_poll_at, moment + pause),
        last_poll_at = CASE WHEN seen THEN moment ELSE m.last_poll_at END, cursor = coalesce(place, m.cursor)
    WHERE m.workspace_id = of_workspace AND m.id = of_mailbox AND m.generation = of_generation
        AND m.state <> 'revoked';
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ('outreach', '0020_refused_reads'),
        ('mailbox', '0008_turns_and_routes'),
    ]

    operations = [
        migrations.RunSQL(
            sql=BEGIN,
            reverse_sql=(
                'DROP FUNCTION outreach_begin_look(uuid, uuid, integer, boolean, interval, interval, interval)'
            ),
        ),
        migrations.RunSQL(
            sql=FINISH,
            reverse_sql=(
                'DROP FUNCTION outreach_finish_look('
                'uuid, uuid, integer, boolean, interval, interval, interval, boolean, bytea)'
            ),
        ),
    ]
