"""Who changed what when, kept beside the product's tables in a schema of its own.

The product overwrites a row's state. Triggers of the soak write each change down inside the transaction that
makes it, so that the change's commit can be dated by the server itself (`track_commit_timestamp`). The walls
look at the product's schema only and find nothing new in it.
"""

from __future__ import annotations

SCHEMA = """
CREATE SCHEMA soak;
CREATE TABLE soak.history (
    pk bigserial PRIMARY KEY, kind text NOT NULL, id uuid NOT NULL, was text, became text NOT NULL,
    mailbox uuid, campaign uuid, enrollment uuid, contact uuid,
    at timestamptz NOT NULL DEFAULT public.app_now()
);

CREATE FUNCTION soak.message() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
BEGIN
    INSERT INTO soak.history (kind, id, was, became, mailbox, campaign, enrollment, contact)
    VALUES ('message', NEW.id, OLD.state, NEW.state, NEW.mailbox_id, NEW.campaign_id, NEW.enrollment_id,
            NEW.contact_id);
    RETURN NULL;
END $$;
CREATE TRIGGER soak_message AFTER UPDATE ON outreach_message FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION soak.message();

CREATE FUNCTION soak.state() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
BEGIN
    INSERT INTO soak.history (kind, id, was, became) VALUES (TG_ARGV[0], NEW.id, OLD.state, NEW.state);
    RETURN NULL;
END $$;
CREATE TRIGGER soak_campaign AFTER UPDATE ON outreach_campaign FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION soak.state('campaign');
CREATE TRIGGER soak_mailbox AFTER UPDATE ON mailbox_mailbox FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION soak.state('mailbox');
CREATE TRIGGER soak_enrollment AFTER UPDATE ON outreach_enrollment FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION soak.state('enrollment');

CREATE FUNCTION soak.opt_out() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
BEGIN
    INSERT INTO soak.history (kind, id, became, contact)
    SELECT 'opt_out', NEW.key, NEW.kind, m.contact_id FROM outreach_message m WHERE m.id = NEW.key;
    RETURN NULL;
END $$;
CREATE TRIGGER soak_opt_out AFTER INSERT ON tracking_event FOR EACH ROW
    WHEN (NEW.kind = 'opted_out') EXECUTE FUNCTION soak.opt_out();
"""
