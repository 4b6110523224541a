from django.db import migrations

# Counts for the operator. It runs with the caller's rights and opens one workspace after another, as
# every_workspace() does; the variable is put back when it ends. No id, no name and no content leaves it.
CREATE = """
CREATE FUNCTION outreach_figures()
RETURNS TABLE (figure text, company text, word text, number double precision)
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    here record;
    moment timestamptz := app_now();
    before text := coalesce(current_setting('app.workspace', true), '');
BEGIN
    FOR here IN SELECT w.id, w.suspended_at FROM accounts_workspace w LOOP
        PERFORM set_config('app.workspace', here.id::text, true);

        RETURN QUERY
        SELECT 'waiting'::text, ''::text,
            (CASE m.state WHEN 'planned' THEN 'due' ELSE m.state END)::text, count(*)::double precision
        FROM outreach_message m LEFT JOIN outreach_campaign c ON c.id = m.campaign_id
        WHERE m.workspace_id = here.id AND (
            m.state IN ('queued', 'deferred')
            OR m.state = 'planned' AND m.due_at <= moment AND coalesce(c.state, 'running') = 'running'
        )
        GROUP BY 3;

        RETURN QUERY
        SELECT (CASE m.state WHEN 'doubt' THEN 'doubt' WHEN 'submitting' THEN 'submitting' ELSE 'waiting' END)::text,
            (CASE WHEN m.state IN ('doubt', 'submitting') THEN coalesce(b.provider, 'none') ELSE '' END)::text,
            (CASE WHEN m.state IN ('doubt', 'submitting') THEN '' ELSE 'in_hand' END)::text,
            count(*)::double precision
        FROM outreach_message m LEFT JOIN mailbox_mailbox b ON b.id = m.mailbox_id
        WHERE m.workspace_id = here.id AND m.state IN ('claimed', 'drafted', 'submitting', 'doubt')
        GROUP BY 1, 2, 3;

        -- Ready: its time and its mailbox's turn have come, and no gate, pause or provider holds it.
        IF here.suspended_at IS NULL THEN
            RETURN QUERY
            SELECT 'ready'::text, ''::text, ''::text,
                extract(epoch FROM moment - min(greatest(m.due_at, m.not_before, b.next_send_at)))::double precision
            FROM outreach_message m
            JOIN mailbox_mailbox b ON b.id = m.mailbox_id AND b.state = 'connected'
            LEFT JOIN outreach_campaign c ON c.id = m.campaign_id
            WHERE m.workspace_id = here.id AND m.state IN ('planned', 'queued', 'deferred')
                AND (m.reason = '' OR m.state = 'deferred')
                AND greatest(m.due_at, m.not_before, b.next_send_at) <= moment
                AND coalesce(c.state, 'running') = 'running'
            HAVING count(*) > 0;
        END IF;

        RETURN QUERY
        SELECT 'settle'::text, ''::text, ''::text,
            extract(epoch FROM moment - min(m.settle_at))::double precision
        FROM outreach_message m
        WHERE m.workspace_id = here.id AND m.settle_at <= moment AND m.state = 'submitting'
        HAVING count(*) > 0;

        RETURN QUERY
        SELECT 'refused'::text, coalesce(b.provider, 'none')::text, ''::text, count(*)::double precision
        FROM outreach_message m LEFT JOIN mailbox_mailbox b ON b.id = m.mailbox_id
        WHERE m.workspace_id = here.id AND m.state = 'refused'
            AND m.ended_at > moment - interval '60 minutes'
        GROUP BY 2;

        RETURN QUERY
        SELECT 'mailbox'::text, b.provider::text, b.state::text, count(*)::double precision
        FROM mailbox_mailbox b WHERE b.workspace_id = here.id AND b.state <> 'revoked' GROUP BY 2, 3;

        RETURN QUERY
        SELECT 'poll'::text, ''::text, ''::text,
            extract(epoch FROM moment - min(b.next_poll_at))::double precision
        FROM mailbox_mailbox b
        WHERE b.workspace_id = here.id AND b.state = 'connected' AND b.next_poll_at <= moment
            AND here.suspended_at IS NULL
        HAVING count(*) > 0;

        RETURN QUERY
        SELECT 'last_poll'::text, ''::text, ''::text,
            extract(epoch FROM moment - max(b.last_poll_at))::double precision
        FROM mailbox_mailbox b WHERE b.workspace_id = here.id AND b.last_poll_at IS NOT NULL
        HAVING count(*) > 0;
    END LOOP;
    PERFORM set_config('app.workspace', before, true);
END
$$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0005_refused_by_time'),
    ]

    operations = [
        migrations.RunSQL(sql=CREATE, reverse_sql='DROP FUNCTION outreach_figures()'),
    ]
