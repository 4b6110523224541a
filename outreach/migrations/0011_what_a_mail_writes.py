from django.db import migrations

# What one mail writes on its way, as functions: PostgreSQL plans a function's statements once a connection, and
# plans a statement that comes as text anew each time. All run with the caller's rights.

# The locks one after the other, then the rows and the facts: each statement of a volatile function sees what was
# committed while the one before it waited (outreach/last_gate.py).
HOLD = """
CREATE FUNCTION outreach_hold(
    of_fence integer, of_first uuid, of_workspace uuid, of_kind text, of_message uuid, of_mailbox uuid,
    of_thread uuid, of_campaign uuid, of_step uuid, of_contact uuid, of_address bytea, blocking bytea[],
    of_identity bytea, bounces_within interval, bounce_window integer, complaints_within interval,
    cool_within interval, bulk_within interval, bulk integer, site_within interval, site_mails integer
)
RETURNS TABLE (
    moment timestamptz, w accounts_workspace, b mailbox_mailbox, c outreach_campaign, e outreach_enrollment,
    p outreach_contact, blocked uuid, replied boolean, came_back bigint, complaints bigint,
    wrote_at timestamptz, bulk_at timestamptz, site_at timestamptz, counted_at timestamptz, consumer boolean,
    first_seen_at timestamptz, used bigint, minute bigint, holds boolean, has_old boolean
)
LANGUAGE plpgsql VOLATILE SECURITY INVOKER AS $$
BEGIN
    PERFORM 1 FROM mailbox_mailbox x WHERE x.id = of_mailbox FOR NO KEY UPDATE;
    PERFORM 1 FROM accounts_workspace x WHERE x.id = of_workspace FOR SHARE;
    PERFORM 1 FROM outreach_campaign x WHERE x.id = of_campaign FOR SHARE;
    PERFORM 1 FROM outreach_contact x WHERE x.id = of_first FOR NO KEY UPDATE;
    PERFORM 1 FROM mailbox_mailboxidentity x WHERE x.identity = of_identity FOR UPDATE;
    PERFORM 1 FROM outreach_message x WHERE x.id = of_message FOR UPDATE;
    RETURN QUERY SELECT h.*, f.*
    FROM outreach_gate_rows(of_message, of_fence, of_mailbox) h,
        outreach_facts(
            of_workspace, of_kind, of_message, of_mailbox, of_thread, of_campaign, of_step, of_contact,
            of_address, blocking, of_identity, bounces_within, bounce_window, complaints_within, cool_within,
            bulk_within, bulk, site_within, site_mails) f;
END
$$
"""
STORE = """
CREATE FUNCTION outreach_store_draft(
    of_message uuid, of_fence integer, draft bytea, version bytea, stamped bytea, stamped_index bytea,
    named boolean, conversation bytea, conversation_index bytea
)
RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    of_thread uuid;
BEGIN
    UPDATE outreach_message m SET state = 'drafted', draft_id = draft, draft_version = version,
        rfc_message_index = stamped_index, rfc_message_id = COALESCE(stamped, m.rfc_message_id)
    WHERE m.id = of_message AND m.fence = of_fence AND m.state = 'claimed' AND m.draft_id IS NULL
    RETURNING m.thread_id INTO of_thread;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF named THEN
        UPDATE outreach_thread t SET provider_thread_id = conversation,
            provider_thread_index = conversation_index
        WHERE t.id = of_thread;
    END IF;
    RETURN true;
END
$$
"""
HAND_OVER = """
CREATE FUNCTION outreach_hand_over(of_message uuid, of_fence integer, of_generation integer, settle interval)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    UPDATE outreach_message m SET state = 'submitting', attempted_at = app_now(),
        settle_at = app_now() + settle, attempt_no = m.attempt_no + 1, generation = of_generation,
        not_before = NULL
    WHERE m.id = of_message AND m.fence = of_fence;
END
$$
"""
ACCEPTED = """
CREATE FUNCTION outreach_accepted(
    of_message uuid, of_fence integer, was text[], again interval, copies integer, provider bytea,
    of_provider_index bytea, stamped bytea, stamped_index bytea, answers boolean
)
RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    of_thread uuid;
BEGIN
    UPDATE outreach_message m SET state = 'sent', sent_at = COALESCE(m.attempted_at, app_now()),
        lease_until = NULL, not_before = NULL, reason = '', detail = NULL, settle_at = app_now() + again,
        provider_copies = copies,
        provider_id = COALESCE(provider, m.provider_id),
        provider_index = COALESCE(of_provider_index, m.provider_index),
        rfc_message_id = COALESCE(stamped, m.rfc_message_id),
        rfc_message_index = COALESCE(stamped_index, m.rfc_message_index)
    WHERE m.id = of_message AND m.fence = of_fence AND m.state = ANY (was)
    RETURNING m.thread_id INTO of_thread;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE outreach_thread t SET last_at = app_now(),
        waits_since = CASE WHEN answers THEN NULL ELSE t.waits_since END
    WHERE t.id = of_thread;
    RETURN true;
END
$$
"""
IDS = """
CREATE FUNCTION outreach_store_ids(
    of_message uuid, provider bytea, of_provider_index bytea, stamped bytea, stamped_index bytea
)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    UPDATE outreach_message m SET settle_at = NULL,
        provider_id = COALESCE(provider, m.provider_id),
        provider_index = COALESCE(of_provider_index, m.provider_index),
        rfc_message_id = COALESCE(stamped, m.rfc_message_id),
        rfc_message_index = COALESCE(stamped_index, m.rfc_message_index)
    WHERE m.id = of_message AND m.state = 'sent';
END
$$
"""
# The step behind the one that left; where there is none, the person's way is finished (outreach/sequences.py).
NEXT = """
CREATE FUNCTION outreach_next_step(of_enrollment uuid, of_position integer)
RETURNS TABLE (resumes_at timestamptz, step uuid, wait_days integer)
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    here outreach_enrollment;
BEGIN
    SELECT x.* INTO here FROM outreach_enrollment x
    WHERE x.id = of_enrollment AND x.state IN ('planned', 'running');
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT here.resumes_at, s.id, s.wait_days::integer FROM outreach_step s
        WHERE s.campaign_id = here.campaign_id AND s.position = of_position;
    IF NOT FOUND THEN
        UPDATE outreach_enrollment x SET state = 'finished', reason = 'all_accepted', stopped_at = app_now()
        WHERE x.id = of_enrollment AND x.state = here.state;
    END IF;
END
$$
"""

# The rows of one mailbox that would be claimed next (outreach/pipeline/claim.py). Each part walks an index of its
# own in the order of the times, however many rows wait behind the first; the campaign's state is no join, because
# the planner would read and sort everything that waits.
UPCOMING = """
CREATE FUNCTION outreach_upcoming(of_workspace uuid, of_mailbox uuid, most integer, sequences integer)
RETURNS TABLE (id uuid, kind text, due_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY INVOKER AS $$
#variable_conflict use_column
DECLARE
    now_at timestamptz := app_now();
BEGIN
    RETURN QUERY
    (SELECT r.id, r.kind::text, r.due_at FROM outreach_message r
        WHERE r.workspace_id = of_workspace AND r.mailbox_id = of_mailbox AND r.kind IN ('answer', 'test')
            AND r.state IN ('planned', 'queued', 'claimed', 'drafted', 'deferred')
            AND (
                (r.state IN ('claimed', 'drafted') AND (r.not_before IS NULL OR r.not_before <= now_at)
                    AND (r.lease_until IS NULL OR r.lease_until <= now_at))
                OR (r.state = 'queued' AND r.due_at <= now_at
                    AND (r.not_before IS NULL OR r.not_before <= now_at))
                OR (r.state = 'deferred' AND r.not_before <= now_at)
            )
        ORDER BY r.due_at, r.id LIMIT most)
    UNION ALL (SELECT s.id, s.kind, s.due_at FROM (
        (SELECT r.id, r.kind::text AS kind, r.due_at FROM outreach_message r
            WHERE r.workspace_id = of_workspace AND r.mailbox_id = of_mailbox
                AND r.state IN ('planned', 'queued', 'deferred')
                AND (
                    (r.state = 'queued' AND r.due_at <= now_at
                        AND (r.not_before IS NULL OR r.not_before <= now_at))
                    OR (r.state = 'deferred' AND r.not_before <= now_at)
                )
                AND r.kind NOT IN ('answer', 'test')
                AND (SELECT c.state FROM outreach_campaign c WHERE c.id = r.campaign_id)
                    IS DISTINCT FROM 'paused'
            ORDER BY r.due_at, r.id LIMIT sequences)
        UNION ALL (SELECT r.id, r.kind::text, r.due_at FROM outreach_message r
            WHERE r.workspace_id = of_workspace AND r.mailbox_id = of_mailbox
                AND r.state IN ('claimed', 'drafted') AND (r.not_before IS NULL OR r.not_before <= now_at)
                AND (r.lease_until IS NULL OR r.lease_until <= now_at)
                AND r.kind NOT IN ('answer', 'test')
                AND (SELECT c.state FROM outreach_campaign c WHERE c.id = r.campaign_id)
                    IS DISTINCT FROM 'paused'
            ORDER BY r.due_at, r.id LIMIT sequences)
    ) s ORDER BY 3, 1 LIMIT sequences);
END
$$
"""
# The mailboxes that a worker is rung for: those where a person waits, then those whose mails have waited longest.
IN_LINE = """
CREATE FUNCTION outreach_mailboxes_in_line(of_workspace uuid, states text[], most integer)
RETURNS TABLE (mailbox uuid)
LANGUAGE plpgsql STABLE SECURITY INVOKER AS $$
BEGIN
    RETURN QUERY SELECT b.id FROM mailbox_mailbox b
        CROSS JOIN LATERAL outreach_upcoming(of_workspace, b.id, 1, 1) u
    WHERE b.workspace_id = of_workspace AND b.state = ANY (states)
    GROUP BY b.id
    ORDER BY min(CASE WHEN u.kind IN ('answer', 'test') THEN 0 ELSE 1 END), min(u.due_at), b.id
    LIMIT most;
END
$$
"""
# Left to itself, PostgreSQL may plan a function's statement for its values, each time anew, which takes longer
# than to run it: what is asked has one good plan whatever the values are.
KEEP = "ALTER FUNCTION {} SET plan_cache_mode = force_generic_plan"
LET = "ALTER FUNCTION {} RESET plan_cache_mode"
KEPT = [
    'outreach_gate_rows', 'outreach_facts', 'outreach_claim', 'outreach_hold', 'outreach_store_draft',
    'outreach_hand_over', 'outreach_accepted', 'outreach_store_ids', 'outreach_next_step',
    'outreach_upcoming', 'outreach_mailboxes_in_line',
]


class Migration(migrations.Migration):

    dependencies = [
        ('outreach', '0010_draft_version'),
    ]

    operations = [
        migrations.RunSQL(sql=HOLD, reverse_sql='DROP FUNCTION outreach_hold'),
        migrations.RunSQL(sql=STORE, reverse_sql='DROP FUNCTION outreach_store_draft'),
        migrations.RunSQL(sql=HAND_OVER, reverse_sql='DROP FUNCTION outreach_hand_over'),
        migrations.RunSQL(sql=ACCEPTED, reverse_sql='DROP FUNCTION outreach_accepted'),
        migrations.RunSQL(sql=IDS, reverse_sql='DROP FUNCTION outreach_store_ids'),
        migrations.RunSQL(sql=NEXT, reverse_sql='DROP FUNCTION outreach_next_step'),
        migrations.RunSQL(sql=UPCOMING, reverse_sql='DROP FUNCTION outreach_upcoming'),
        migrations.RunSQL(sql=IN_LINE, reverse_sql='DROP FUNCTION outreach_mailboxes_in_line'),
        *[migrations.RunSQL(sql=KEEP.format(name), reverse_sql=LET.format(name)) for name in KEPT],
    ]
