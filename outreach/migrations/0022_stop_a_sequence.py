from django.db import migrations

# What an answer, a bounce or a person's word stops (outreach/sequences.py), planned once a connection. It runs
# with the caller's rights. A mail that was handed over for sending goes on; the fence takes the rest away from
# whoever has it in hand.
STOP = """
CREATE FUNCTION outreach_stop_sequence(of_workspace uuid, of_enrollment uuid, outcome text, why text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY INVOKER SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    moment timestamptz := app_now();
    stopped boolean;
BEGIN
    UPDATE outreach_enrollment e SET state = outcome, reason = why, stopped_at = moment
    WHERE e.workspace_id = of_workspace AND e.id = of_enrollment
        AND e.state IN ('planned', 'running', 'finished');
    stopped := FOUND;
    UPDATE outreach_message m SET state = 'cancelled', reason = why, fence = m.fence + 1,
        lease_until = NULL, ended_at = moment, draft_left = m.draft_id IS NOT NULL
    WHERE m.workspace_id = of_workspace AND m.enrollment_id = of_enrollment AND m.kind <> 'answer'
        AND m.state IN ('planned', 'queued', 'claimed', 'drafted', 'deferred');
    IF outcome = 'replied' THEN
        UPDATE outreach_removalcase c SET state = 'your_turn'
        WHERE c.workspace_id = of_workspace AND c.enrollment_id = of_enrollment AND c.state = 'open';
    END IF;
    RETURN stopped;
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [('outreach', '0021_looks')]

    operations = [
        migrations.RunSQL(
            sql=STOP, reverse_sql='DROP FUNCTION outreach_stop_sequence(uuid, uuid, text, text)'
        )
    ]
