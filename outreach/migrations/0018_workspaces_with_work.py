from django.db import migrations

# Ids of the workspaces in which a stage may have something to do. It runs with the caller's rights and opens
# one workspace after another, as every_workspace() does; the variable is put back when it ends. It looks for
# a little more than the stages call due, by their indexes, and the stage then asks exactly.
CREATE = """
CREATE FUNCTION outreach_with_work(kind text) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY INVOKER SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    here uuid;
    moment timestamptz := app_now();
    before text := coalesce(current_setting('app.workspace', true), '');
    found boolean;
BEGIN
    FOR here IN SELECT w.id FROM accounts_workspace w ORDER BY w.id LOOP
        PERFORM set_config('app.workspace', here::text, true);
        IF kind = 'queue' THEN
            found := EXISTS (
                SELECT FROM outreach_message m
                WHERE m.workspace_id = here AND m.state = 'planned' AND m.due_at <= moment
                    AND coalesce(m.not_before, moment) <= moment);
        ELSIF kind = 'send' THEN
            found := EXISTS (
                SELECT FROM outreach_message m
                WHERE m.workspace_id = here AND m.state IN ('queued', 'deferred')
                    AND coalesce(m.not_before, moment) <= moment
            ) OR EXISTS (
                SELECT FROM outreach_message m
                WHERE m.workspace_id = here AND m.state IN ('claimed', 'drafted')
                    AND coalesce(m.lease_until, moment) <= moment);
        ELSIF kind = 'settle' THEN
            found := EXISTS (
                SELECT FROM outreach_message m WHERE m.workspace_id = here AND m.settle_at <= moment);
        ELSIF kind = 'finish' THEN
            found := EXISTS (
                SELECT FROM outreach_campaign c WHERE c.workspace_id = here AND c.state = 'running');
        END IF;
        IF found THEN
            RETURN NEXT here;
        END IF;
    END LOOP;
    PERFORM set_config('app.workspace', before, true);
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("outreach", "0017_attachments"),
        ("mailbox", "0008_turns_and_routes"),
    ]

    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION outreach_with_work")]
