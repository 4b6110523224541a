from django.db import migrations

# What the gates look at, as functions: PostgreSQL plans a function's statement once a connection, and plans a
# statement of the same size anew each time it comes. Both run with the caller's rights, and read only.
ROWS = """
CREATE FUNCTION outreach_gate_rows(of_message uuid, of_fence integer, of_mailbox uuid)
RETURNS TABLE (
    moment timestamptz, w accounts_workspace, b mailbox_mailbox, c outreach_campaign, e outreach_enrollment,
    p outreach_contact
)
LANGUAGE plpgsql STABLE SECURITY INVOKER AS $$
BEGIN
    RETURN QUERY
    SELECT app_now(), workspace, mailbox, campaign, enrollment, contact
    FROM outreach_message message
        JOIN mailbox_mailbox mailbox ON mailbox.id = message.mailbox_id
        JOIN accounts_workspace workspace ON workspace.id = message.workspace_id
        LEFT JOIN outreach_campaign campaign ON campaign.id = message.campaign_id
        LEFT JOIN outreach_enrollment enrollment ON enrollment.id = message.enrollment_id
        LEFT JOIN outreach_contact contact ON contact.id = message.contact_id
    WHERE message.id = of_message AND message.fence = of_fence AND message.state = 'drafted'
        AND message.mailbox_id = of_mailbox;
END
$$
"""
FACTS = """
CREATE FUNCTION outreach_facts(
    of_workspace uuid, of_kind text, of_message uuid, of_mailbox uuid, of_thread uuid, of_campaign uuid,
    of_step uuid, of_contact uuid, of_address bytea, blocking bytea[], of_identity bytea,
    bounces_within interval, bounce_window integer, complaints_within interval, cool_within interval,
    bulk_within interval, bulk integer, site_within interval, site_mails integer
)
RETURNS TABLE (
    blocked uuid, replied boolean, came_back bigint, complaints bigint, wrote_at timestamptz,
    bulk_at timestamptz, site_at timestamptz, moment timestamptz, consumer boolean, first_seen_at timestamptz,
    used bigint, minute bigint, holds boolean, has_old boolean
)
LANGUAGE plpgsql STABLE SECURITY INVOKER AS $$
DECLARE
    sequence boolean := of_kind IN ('first', 'follow_up', 'removal');
    today timestamptz := app_now() - interval '24 hours';
BEGIN
    moment := app_now();
    IF sequence THEN
        blocked := (
            SELECT x.id FROM outreach_suppression x
            WHERE x.workspace_id = of_workspace AND x.value_index = ANY (blocking)
            ORDER BY x.scope, x.created_at LIMIT 1);
        came_back := (
            SELECT count(*) FROM (
                SELECT x.bounce_kind FROM outreach_message x
                WHERE x.workspace_id = of_workspace AND x.mailbox_id = of_mailbox AND x.state = 'sent'
                    AND x.sent_at > moment - bounces_within
                ORDER BY x.sent_at DESC LIMIT bounce_window
            ) newest WHERE newest.bounce_kind IN ('hard', 'blocked'));
        complaints := (
            SELECT count(*) FROM outreach_suppression x
            WHERE x.workspace_id = of_workspace AND x.reason = 'complained'
                AND x.created_at > moment - complaints_within);
    END IF;
    replied := of_kind IN ('follow_up', 'removal') AND EXISTS (
        SELECT 1 FROM outreach_reply x
        WHERE x.workspace_id = of_workspace AND x.thread_id = of_thread AND x.kind = 'reply');
    IF of_kind = 'first' THEN
        wrote_at := (
            SELECT max(COALESCE(x.sent_at, x.attempted_at, x.created_at)) FROM outreach_message x
            WHERE x.workspace_id = of_workspace AND (x.contact_id = of_contact OR x.to_index = of_address)
                AND x.kind = 'first' AND x.state IN ('submitting', 'doubt', 'sent')
                AND COALESCE(x.sent_at, x.attempted_at, x.created_at) > moment - cool_within
                AND x.id <> of_message AND x.campaign_id IS DISTINCT FROM of_campaign);
        bulk_at := (
            SELECT x.attempted_at FROM outreach_message x
            WHERE x.workspace_id = of_workspace AND x.step_id = of_step AND x.kind = 'first'
                AND x.state IN ('submitting', 'doubt', 'sent') AND x.attempted_at > moment - bulk_within
                AND x.id <> of_message
            ORDER BY x.attempted_at DESC OFFSET bulk - 1 LIMIT 1);
    ELSIF of_kind = 'removal' THEN
        site_at := (
            SELECT COALESCE(x.sent_at, x.attempted_at, x.created_at)
            FROM outreach_message x JOIN outreach_contact c ON c.id = x.contact_id
            WHERE x.workspace_id = of_workspace AND x.state IN ('submitting', 'doubt', 'sent')
                AND c.site_id = (SELECT s.site_id FROM outreach_contact s WHERE s.id = of_contact)
                AND x.kind IN ('first', 'follow_up', 'removal') AND x.id <> of_message
                AND COALESCE(x.sent_at, x.attempted_at, x.created_at) > moment - site_within
            ORDER BY 1 DESC OFFSET site_mails - 1 LIMIT 1);
    END IF;
    SELECT i.consumer, i.first_seen_at INTO consumer, first_seen_at
    FROM mailbox_mailboxidentity i WHERE i.identity = of_identity;
    SELECT count(*), count(*) FILTER (WHERE s.taken_at > moment - interval '1 minute'),
        COALESCE(bool_or(s.key = of_message), false)
    INTO used, minute, holds
    FROM mailbox_sendslot s WHERE s.identity_id = of_identity AND s.taken_at > today;
    has_old := EXISTS (
        SELECT 1 FROM mailbox_sendslot s
        WHERE s.identity_id = of_identity AND s.taken_at < moment - interval '48 hours');
    RETURN NEXT;
END
$$
"""

# The claim of one row (outreach/pipeline/claim.py): the row, its mailbox and its step, or nothing where it is not
# to be had. A lease that is still written ran out while somebody held it; that worker may have made a draft and
# not stored it (F3).
CLAIM = """
CREATE FUNCTION outreach_claim(of_message uuid, lease interval)
RETURNS TABLE (moment timestamptz, m outreach_message, b mailbox_mailbox, s outreach_step)
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    now_at timestamptz := app_now();
    had outreach_message;
    lost boolean;
BEGIN
    SELECT r.* INTO had FROM outreach_message r
    WHERE r.id = of_message
        AND (
            (r.state IN ('claimed', 'drafted') AND (r.lease_until IS NULL OR r.lease_until <= now_at)
                AND (r.not_before IS NULL OR r.not_before <= now_at))
            OR (r.state = 'queued' AND r.due_at <= now_at AND (r.not_before IS NULL OR r.not_before <= now_at))
            OR (r.state = 'deferred' AND r.not_before <= now_at)
        )
        AND (r.kind IN ('answer', 'test') OR (
            SELECT c.state FROM outreach_campaign c WHERE c.id = r.campaign_id) IS DISTINCT FROM 'paused')
    FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    lost := had.state IN ('claimed', 'drafted') AND had.lease_until IS NOT NULL;
    UPDATE outreach_message r SET
        state = CASE WHEN r.draft_id IS NULL THEN 'claimed' ELSE 'drafted' END,
        fence = r.fence + 1,
        lease_until = now_at + lease,
        not_before = NULL,
        kills = r.kills + lost::integer,
        draft_unclear_at = CASE WHEN lost AND r.draft_id IS NULL THEN now_at ELSE r.draft_unclear_at END,
        reason = '',
        detail = NULL
    WHERE r.id = of_message
    RETURNING r.* INTO m;
    SELECT x.* INTO b FROM mailbox_mailbox x WHERE x.id = m.mailbox_id;
    SELECT x.* INTO s FROM outreach_step x WHERE x.id = m.step_id;
    moment := now_at;
    RETURN NEXT;
END
$$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0008_what_is_next'),
        ('mailbox', '0004_where_an_account_is_connected'),
    ]

    operations = [
        migrations.RunSQL(
            sql=ROWS, reverse_sql='DROP FUNCTION outreach_gate_rows(uuid, integer, uuid)'
        ),
        migrations.RunSQL(sql=FACTS, reverse_sql='DROP FUNCTION outreach_facts'),
        migrations.RunSQL(sql=CLAIM, reverse_sql='DROP FUNCTION outreach_claim(uuid, interval)'),
    ]
