from django.db import migrations

# What moves a card by itself. Triggers, because facts come on many ways (the send's own SQL, a settle, a
# person's word on a doubt, an import): here none is forgotten, and the send pays no statement. All run with
# the caller's rights, in the transaction of the fact. A fact moves a card forward only, whoever moved it
# last; only a label, which is a person's word, may say lost, and its correction takes that back.
ENROLLED = """
CREATE FUNCTION outreach_cards_of_enrolled() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    WITH made AS (
        INSERT INTO outreach_card (
            id, workspace_id, project_id, site_id, contact_id, stage, stage_at, created_at)
        SELECT gen_random_uuid(), w.workspace_id, w.project_id, w.site_id, w.contact_id, 'prospect',
            app_now(), app_now()
        FROM (
            SELECT DISTINCT e.workspace_id, c.project_id, p.site_id,
                CASE WHEN p.site_id IS NULL THEN p.id END AS contact_id
            FROM fresh e
            JOIN outreach_campaign c ON c.workspace_id = e.workspace_id AND c.id = e.campaign_id
            JOIN outreach_contact p ON p.workspace_id = e.workspace_id AND p.id = e.contact_id
            WHERE c.kind = 'outreach'
        ) w
        ORDER BY w.project_id, w.site_id, w.contact_id
        ON CONFLICT DO NOTHING
        RETURNING id, workspace_id
    )
    INSERT INTO outreach_stagemove (id, workspace_id, card_id, number, from_stage, to_stage, cause, at)
    SELECT gen_random_uuid(), m.workspace_id, m.id, 1, '', 'prospect', 'enrolled', app_now() FROM made m;
    RETURN NULL;
END
$$
"""
FACT = """
CREATE FUNCTION outreach_card_fact(of_workspace uuid, of_project uuid, of_contact uuid, fact text)
RETURNS void
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    chance outreach_card;
    newest outreach_stagemove;
    way text[] := ARRAY['prospect', 'contacted', 'replied', 'agreed', 'won'];
    stage_to text;
    why text := fact;
BEGIN
    SELECT k.* INTO chance FROM outreach_contact p
    JOIN outreach_card k ON k.workspace_id = of_workspace AND k.project_id = of_project
        AND (k.site_id = p.site_id OR p.site_id IS NULL AND k.contact_id = p.id)
    WHERE p.workspace_id = of_workspace AND p.id = of_contact
    FOR UPDATE OF k;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT m.* INTO newest FROM outreach_stagemove m
    WHERE m.workspace_id = of_workspace AND m.card_id = chance.id ORDER BY m.number DESC LIMIT 1;
    IF fact IN ('first_mail', 'reply') THEN
        stage_to := CASE fact WHEN 'first_mail' THEN 'contacted' ELSE 'replied' END;
        -- Lost stands on no way: nothing that comes by itself leads out of it.
        IF chance.stage = 'lost'
            OR array_position(way, chance.stage::text) >= array_position(way, stage_to) THEN
            RETURN;
        END IF;
    ELSIF fact = 'label_placed' THEN
        stage_to := 'won';
    ELSIF fact = 'label_declined' THEN
        IF chance.stage = 'won' AND newest.cause IS DISTINCT FROM 'label_placed' THEN
            RETURN;
        END IF;
        stage_to := 'lost';
    ELSIF 'label_' || split_part(fact, ':', 2) = newest.cause THEN
        -- Only what the label itself did is taken back, and only while nobody has moved the card since.
        stage_to := newest.from_stage;
        why := 'label_back';
    END IF;
    IF stage_to IS NULL OR stage_to = '' OR stage_to = chance.stage THEN
        RETURN;
    END IF;
    UPDATE outreach_card SET stage = stage_to, stage_at = app_now()
    WHERE workspace_id = of_workspace AND id = chance.id;
    INSERT INTO outreach_stagemove (id, workspace_id, card_id, number, from_stage, to_stage, cause, at)
    VALUES (
        gen_random_uuid(), of_workspace, chance.id, newest.number + 1, chance.stage, stage_to, why, app_now());
END
$$
"""
ACCEPTED = """
CREATE FUNCTION outreach_card_of_accepted() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    PERFORM outreach_card_fact(NEW.workspace_id, NEW.project_id, NEW.contact_id, 'first_mail');
    RETURN NULL;
END
$$
"""
REPLIED = """
CREATE FUNCTION outreach_card_of_reply() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    t record;
    fact text := 'reply';
BEGIN
    SELECT h.project_id, h.contact_id, c.kind, x.replies INTO t FROM outreach_thread h
    LEFT JOIN outreach_campaign c ON c.workspace_id = h.workspace_id AND c.id = h.campaign_id
    LEFT JOIN mailbox_mailbox x ON x.workspace_id = NEW.workspace_id AND x.id = NEW.mailbox_id
    WHERE h.workspace_id = NEW.workspace_id AND h.id = NEW.thread_id;
    IF t.kind = 'removal' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        -- What a private reply says is for one person, the board for all.
        IF t.replies = 'private' THEN
            RETURN NULL;
        END IF;
        fact := CASE
            WHEN NEW.label IN ('placed', 'declined') THEN 'label_' || NEW.label
            ELSE 'back:' || OLD.label END;
    END IF;
    PERFORM outreach_card_fact(NEW.workspace_id, t.project_id, t.contact_id, fact);
    RETURN NULL;
END
$$
"""
TRIGGERS = """
CREATE TRIGGER cards_of_enrolled AFTER INSERT ON outreach_enrollment
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION outreach_cards_of_enrolled();
CREATE TRIGGER card_of_accepted AFTER UPDATE OF state ON outreach_message FOR EACH ROW
    WHEN (NEW.state = 'sent' AND OLD.state <> 'sent' AND NEW.kind = 'first')
    EXECUTE FUNCTION outreach_card_of_accepted();
CREATE TRIGGER card_of_reply AFTER INSERT ON outreach_reply FOR EACH ROW
    WHEN (NEW.kind = 'reply') EXECUTE FUNCTION outreach_card_of_reply();
CREATE TRIGGER card_of_label AFTER UPDATE OF label ON outreach_reply FOR EACH ROW
    WHEN (NEW.label <> OLD.label
        AND (NEW.label IN ('placed', 'declined') OR OLD.label IN ('placed', 'declined')))
    EXECUTE FUNCTION outreach_card_of_reply();
"""
AWAY = """
DROP TRIGGER card_of_label ON outreach_reply;
DROP TRIGGER card_of_reply ON outreach_reply;
DROP TRIGGER card_of_accepted ON outreach_message;
DROP TRIGGER cards_of_enrolled ON outreach_enrollment;
DROP FUNCTION outreach_card_of_reply;
DROP FUNCTION outreach_card_of_accepted;
DROP FUNCTION outreach_card_fact;
DROP FUNCTION outreach_cards_of_enrolled;
"""
# Cards for what is there already, at the stage that its facts say.
FILL = """
DO $$
DECLARE
    here uuid;
    before text := coalesce(current_setting('app.workspace', true), '');
BEGIN
    FOR here IN SELECT w.id FROM accounts_workspace w LOOP
        PERFORM set_config('app.workspace', here::text, true);
        INSERT INTO outreach_card (
            id, workspace_id, project_id, site_id, contact_id, stage, stage_at, created_at)
        SELECT gen_random_uuid(), here, c.project_id, p.site_id, CASE WHEN p.site_id IS NULL THEN p.id END,
            CASE WHEN bool_or(e.state = 'replied') THEN 'replied'
                WHEN bool_or(EXISTS (
                    SELECT FROM outreach_message m WHERE m.workspace_id = here AND m.enrollment_id = e.id
                        AND m.kind = 'first' AND m.state = 'sent')) THEN 'contacted'
                ELSE 'prospect' END,
            max(e.created_at), min(e.created_at)
        FROM outreach_enrollment e
        JOIN outreach_campaign c ON c.workspace_id = here AND c.id = e.campaign_id AND c.kind = 'outreach'
        JOIN outreach_contact p ON p.workspace_id = here AND p.id = e.contact_id
        WHERE e.workspace_id = here
        GROUP BY c.project_id, p.site_id, CASE WHEN p.site_id IS NULL THEN p.id END;
        INSERT INTO outreach_stagemove (id, workspace_id, card_id, number, from_stage, to_stage, cause, at)
        SELECT gen_random_uuid(), here, k.id, 1, '', k.stage,
            CASE k.stage WHEN 'replied' THEN 'reply' WHEN 'contacted' THEN 'first_mail' ELSE 'enrolled' END,
            k.stage_at
        FROM outreach_card k WHERE k.workspace_id = here;
    END LOOP;
    PERFORM set_config('app.workspace', before, true);
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("outreach", "0033_boards")]

    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(
            [ENROLLED, FACT, ACCEPTED, REPLIED, TRIGGERS],
            AWAY,
        ),
    ]
