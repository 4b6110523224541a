from importlib import import_module

from django.db import migrations

# As before (0006), with one pass over the mails that wait, one over those under way and one over the
# mailboxes of each workspace, and sums kept until the end. Run with the caller's rights; the variable
# is put back. The plan is made once: for a few hundred rows a workspace, making it takes longer than
# following it.
REPLACE = """
CREATE OR REPLACE FUNCTION outreach_figures()
RETURNS TABLE (figure text, company text, word text, number double precision)
LANGUAGE plpgsql SECURITY INVOKER SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    here record;
    mails record;
    part record;
    moment timestamptz := app_now();
    before text := coalesce(current_setting('app.workspace', true), '');
    due bigint := 0;
    queued bigint := 0;
    deferred bigint := 0;
    in_hand bigint := 0;
    ready timestamptz;
    settle timestamptz;
    poll timestamptz;
    polled timestamptz;
BEGIN
    FOR here IN SELECT w.id, w.suspended_at FROM accounts_workspace w LOOP
        PERFORM set_config('app.workspace', here.id::text, true);

        -- Ready: its time and its mailbox's turn have come, and no gate, pause or provider holds it.
        -- Mails are put together before they meet mailboxes and campaigns, of which there may be many.
        SELECT coalesce(sum(w.due) FILTER (WHERE coalesce(c.state, 'running') = 'running'), 0) AS due,
            coalesce(sum(w.queued), 0) AS queued, coalesce(sum(w.deferred), 0) AS deferred,
            min(greatest(w.turn, b.next_send_at)) FILTER (
                WHERE b.state = 'connected' AND coalesce(c.state, 'running') = 'running'
                    AND w.turn <= moment AND coalesce(b.next_send_at, moment) <= moment
            ) AS ready
        INTO mails
        FROM (
            SELECT m.mailbox_id, m.campaign_id, count(*) FILTER (WHERE m.state = 'planned') AS due,
                count(*) FILTER (WHERE m.state = 'queued') AS queued,
                count(*) FILTER (WHERE m.state = 'deferred') AS deferred,
                min(greatest(m.due_at, m.not_before)) FILTER (
                    WHERE m.reason = '' OR m.state = 'deferred'
                ) AS turn
            FROM outreach_message m
            WHERE m.workspace_id = here.id AND m.state IN ('planned', 'queued', 'deferred')
                AND (m.state <> 'planned' OR m.due_at <= moment)
            GROUP BY 1, 2
        ) w
        LEFT JOIN mailbox_mailbox b ON b.id = w.mailbox_id
        LEFT JOIN outreach_campaign c ON c.id = w.campaign_id;
        due := due + mails.due;
        queued := queued + mails.queued;
        deferred := deferred + mails.deferred;
        IF here.suspended_at IS NULL THEN
            ready := least(ready, mails.ready);
        END IF;

        FOR part IN
            SELECT w.state, coalesce(b.provider, 'none') AS provider, sum(w.mails) AS mails,
                min(w.settle) AS settle
            FROM (
                SELECT m.state, m.mailbox_id, count(*) AS mails,
                    min(m.settle_at) FILTER (WHERE m.state = 'submitting' AND m.settle_at <= moment) AS settle
                FROM outreach_message m
                WHERE m.workspace_id = here.id AND m.state IN ('claimed', 'drafted', 'submitting', 'doubt')
                GROUP BY 1, 2
            ) w
            LEFT JOIN mailbox_mailbox b ON b.id = w.mailbox_id
            GROUP BY 1, 2
        LOOP
            settle := least(settle, part.settle);
            IF part.state IN ('submitting', 'doubt') THEN
                RETURN QUERY
                SELECT part.state::text, part.provider::text, ''::text, part.mails::double precision;
            ELSE
                in_hand := in_hand + part.mails;
            END IF;
        END LOOP;

        RETURN QUERY
        SELECT 'refused'::text, coalesce(b.provider, 'none')::text, ''::text, count(*)::double precision
        FROM outreach_message m LEFT JOIN mailbox_mailbox b ON b.id = m.mailbox_id
        WHERE m.workspace_id = here.id AND m.state = 'refused'
            AND m.ended_at > moment - interval '60 minutes'
        GROUP BY 2;

        FOR part IN
            SELECT b.provider, b.state, count(*) AS mailboxes, max(b.last_poll_at) AS polled,
                min(b.next_poll_at) FILTER (WHERE b.state = 'connected' AND b.next_poll_at <= moment) AS poll
            FROM mailbox_mailbox b WHERE b.workspace_id = here.id GROUP BY 1, 2
        LOOP
            polled := greatest(polled, part.polled);
            IF here.suspended_at IS NULL THEN
                poll := least(poll, part.poll);
            END IF;
            IF part.state <> 'revoked' THEN
                RETURN QUERY
                SELECT 'mailbox'::text, part.provider::text, part.state::text,
                    part.mailboxes::double precision;
            END IF;
        END LOOP;
    END LOOP;
    PERFORM set_config('app.workspace', before, true);

    RETURN QUERY VALUES
        ('waiting'::text, ''::text, 'due'::text, due::double precision),
        ('waiting', '', 'queued', queued), ('waiting', '', 'deferred', deferred),
        ('waiting', '', 'in_hand', in_hand);
    RETURN QUERY
    SELECT a.name, ''::text, ''::text, extract(epoch FROM moment - a.at)::double precision
    FROM (VALUES ('ready'::text, ready), ('settle', settle), ('poll', poll), ('last_poll', polled))
        a(name, at)
    WHERE a.at IS NOT NULL;
END
$$
"""


BEFORE = import_module("outreach.migrations.0006_figures").CREATE


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0006_figures'),
    ]

    operations = [
        migrations.RunSQL(sql=REPLACE, reverse_sql=['DROP FUNCTION outreach_figures()', BEFORE]),
    ]
