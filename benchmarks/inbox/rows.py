"""Conversations for the inbox by the hundred thousand: five mails each, three of ours and two of theirs.

PostgreSQL makes them. Encrypted columns get random bytes of a ciphertext's length; what the pages open is
sealed when they are asked for the first time (opening.py). Words follow Zipf's law, so that a few stand in
nearly every conversation; OLD stands in the oldest tenth alone, RARE in one. One seed for all.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

from django.db import connection

from accounts import clock
from accounts.models import Membership, Workspace
from mailbox.models import Mailbox
from outreach.inbox.words import marks_of
from outreach.models import Campaign, CampaignState, Label, Project, Site, Step, Thread

SEED = 20261126
A_BATCH = 10_000
CAMPAIGNS, RUNNING, SITES = 20, 8, 500
VOCABULARY = 40_000
# Mails of the one long conversation.
LONG = 200
COMMON, OLD, RARE = "word0", "springtime", "kingfisher"

# A UUID of version 7 of this moment.
_ID = """(lpad(to_hex((extract(epoch FROM {at}) * 1000)::bigint), 12, '0') || '7'
    || substr(md5(random()::text), 1, 3) || 'a' || substr(md5(random()::text), 1, 15))::uuid"""
# What a value of so many bytes is in the database.
_SEALED = "substr(%(noise)s, 1 + (random() * 2000)::int, 31 + {length})"


def _sealed(*lengths: int) -> str:
    return ", ".join(_SEALED.format(length=length) for length in lengths)


# The first is the newest; what waits lies anywhere. Of all conversations 5% wait, 1% are snoozed, 4% unread,
# 5% the owner's.
_TALKS = f"""
WITH n AS MATERIALIZED (
    SELECT n, n %% %(campaigns)s + 1 AS campaign, %(now)s - n * interval '1 minute' AS at,
        {_ID.format(at="%(now)s - n * interval '1 minute'")} AS id,
        {_ID.format(at="%(now)s - n * interval '1 minute'")} AS contact,
        {_ID.format(at="%(now)s - n * interval '1 minute'")} AS enrollment,
        random() < 0.05 AS waits, random() < 0.04 AS unread, random() < 0.05 AS mine,
        CASE WHEN random() < 0.01 THEN %(now)s + (1 + n %% 200) * interval '1 hour' END AS back,
        (%(labels)s::text[])[1 + floor(random() * cardinality(%(labels)s::text[]))::int] AS label
    FROM generate_series(%(first)s, %(last)s) AS n
), contacts AS (
    INSERT INTO outreach_contact (id, workspace_id, site_id, address_index, address, name, first_name,
        company, fields, country, timezone, basis, source, tracking_consent)
    SELECT contact, %(here)s, (%(sites)s::uuid[])[1 + n %% cardinality(%(sites)s::uuid[])],
        sha256(contact::text::bytea), {_sealed(28, 14, 6)}, '', '{{}}', '', '', '', 'bench', ''
    FROM n
), enrollments AS (
    INSERT INTO outreach_enrollment (id, workspace_id, campaign_id, contact_id, state, reason)
    SELECT enrollment, %(here)s, (%(campaign)s::uuid[])[campaign], contact, 'replied', '' FROM n
)
INSERT INTO outreach_thread (id, workspace_id, project_id, campaign_id, mailbox_id, enrollment_id, contact_id,
    subject, created_at, last_at, stands_at, replied_at, waits_since, snoozed_until, unread, label,
    assignee_id, indexed)
SELECT id, %(here)s, (%(project)s::uuid[])[campaign], (%(campaign)s::uuid[])[campaign],
    (%(mailbox)s::uuid[])[campaign], enrollment, contact, {_sealed(34)}, at - interval '10 days', at,
    coalesce(back, at), at, CASE WHEN waits OR back IS NOT NULL THEN at END, back, unread, label,
    CASE WHEN mine THEN %(mine)s::uuid END, true
FROM n
"""  # noqa: S608  # nosec B608  (our own constants)
_OF_BATCH = """outreach_thread t WHERE t.enrollment_id IS NOT NULL
    AND t.last_at BETWEEN %(now)s - %(last)s * interval '1 minute'
        AND %(now)s - %(first)s * interval '1 minute'"""
_THEIRS = f"""
INSERT INTO outreach_reply (id, workspace_id, thread_id, mailbox_id, kind, provider_index, rfc_message_index,
    provider_id, rfc_message_id, from_address, from_name, subject, text, quoted, html, size, truncated,
    different_sender, label, bounce_kind, bounce_status, received_at)
SELECT {_ID.format(at="at")}, t.workspace_id, t.id, t.mailbox_id, 'reply', sha256((t.id::text || m)::bytea),
    sha256((t.id::text || m)::bytea), {_sealed(36, 52, 20, 6, 23, 512, 280, 740)}, 900, false, false, t.label,
    '', '', at
FROM (SELECT t.*, m, t.last_at - (m - %(mails_from)s) * interval '1 hour' AS at
    FROM generate_series(%(mails_from)s, %(mails_to)s) m, {_OF_BATCH}) t
"""  # noqa: S608  # nosec B608  (our own constants)
_OURS = f"""
INSERT INTO outreach_message (id, workspace_id, kind, project_id, campaign_id, enrollment_id, contact_id,
    thread_id, mailbox_id, state, reason, generation, to_address, to_name, to_index, subject, text, html,
    headers, compose_id, attempt_no, kills, resends, fence, content_hash, tracks_opens, tracks_clicks,
    draft_left, provider_copies, bounce_kind, opens, clicks, automatic_clicks, created_at, queued_at, sent_at,
    attempted_at, replied_at)
SELECT {_ID.format(at="at")}, t.workspace_id, CASE m WHEN 1 THEN 'first' ELSE 'follow_up' END, t.project_id,
    t.campaign_id, t.enrollment_id, t.contact_id, t.id, t.mailbox_id, 'sent', '', 1, {_sealed(20, 6)},
    sha256(t.id::text::bytea), {_sealed(19, 640, 1150, 2)}, gen_random_uuid(), 1, 0, 0, 1, '', false, false,
    false, 1, '', 0, 0, 0, t.created_at, t.created_at, at, at, CASE m WHEN 1 THEN t.replied_at END
FROM (SELECT t.*, m, t.created_at + (m + 1) * interval '50 hours' AS at
    FROM generate_series(%(mails_from)s, %(mails_to)s) m, {_OF_BATCH}) t
"""  # noqa: S608  # nosec B608  (our own constants)
# The n-th most frequent word stands at 1/n. The length of a text looks at the row: so each has its own words.
_WORDS = f"""
INSERT INTO outreach_threadwords (id, workspace_id, thread_id, words)
SELECT {_ID.format(at="t.last_at")}, t.workspace_id, t.id, ARRAY(
    SELECT DISTINCT (%(marks)s::bigint[])[floor(exp(random() * ln(%(vocabulary)s::float)))::int]
    FROM generate_series(1, CASE WHEN t.unread THEN 170 ELSE 180 END)
    UNION SELECT (%(marks)s::bigint[])[1]
    UNION SELECT %(old)s WHERE t.last_at < %(now)s - %(threads)s * interval '54 seconds'
) FROM {_OF_BATCH}
"""  # noqa: S608  # nosec B608  (our own constants)
_RARE = """
UPDATE outreach_threadwords SET words = words || %(rare)s::bigint
WHERE thread_id = (SELECT id FROM outreach_thread WHERE campaign_id = ANY(%(campaign)s::uuid[])
    ORDER BY last_at OFFSET 6 LIMIT 1)
"""


def fill(here: Workspace, threads: int) -> None:
    """The workspace must be open; its first mailbox and member take part."""
    campaigns = list(_campaigns())
    sites = Site.objects.bulk_create([Site(domain=f"bench{n}.example") for n in range(SITES)])
    values: dict[str, Any] = {
        "here": here.pk,
        "now": clock.now(),
        "threads": threads,
        "campaigns": len(campaigns),
        "campaign": [row.pk for row in campaigns],
        "project": [row.project_id for row in campaigns],
        "mailbox": [row.mailbox_id for row in campaigns],
        "sites": [row.pk for row in sites],
        "labels": ["", *Label.values],
        "mine": Membership.objects.filter(workspace=here).order_by("created_at")[0].pk,
        "noise": random.Random(SEED).randbytes(5000),
        "marks": [marks_of([f"word{n}"])[0] for n in range(VOCABULARY)],
        "vocabulary": VOCABULARY,
        "old": marks_of([OLD])[0],
        "rare": marks_of([RARE])[0],
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.20261126)")
        for first in range(0, threads, A_BATCH):
            batch = {**values, "first": first, "last": min(first + A_BATCH, threads) - 1}
            cursor.execute(_TALKS, batch)
            cursor.execute(_THEIRS, {**batch, "mails_from": 1, "mails_to": 2})
            cursor.execute(_OURS, {**batch, "mails_from": 1, "mails_to": 3})
            cursor.execute(_WORDS, batch)
        cursor.execute(_RARE, values)
    _lengthen(values)


def _lengthen(values: dict[str, Any]) -> None:
    """The oldest conversation that waits gets LONG mails."""
    minutes = round((values["now"] - long_one().last_at) / dt.timedelta(minutes=1))
    row = {**values, "first": minutes, "last": minutes}
    with connection.cursor() as cursor:
        cursor.execute(_THEIRS, {**row, "mails_from": 3, "mails_to": LONG // 2})
        cursor.execute(_OURS, {**row, "mails_from": 4, "mails_to": LONG // 2})


def long_one() -> Thread:
    row: Thread = Thread.objects.waiting().order_by("stands_at")[0]
    return row


def _campaigns() -> Iterator[Campaign]:
    mailboxes = list(Mailbox.objects.order_by("pk"))
    projects = Project.objects.bulk_create([Project(name=f"Bench {n}") for n in range(CAMPAIGNS // 4)])
    for n in range(CAMPAIGNS):
        campaign = Campaign.objects.create(
            project=projects[n % len(projects)],
            mailbox=mailboxes[n % len(mailboxes)],
            name=f"Bench {n}",
            state=CampaignState.RUNNING if n < RUNNING else CampaignState.FINISHED,
        )
        Step.objects.create(campaign=campaign, position=1, subject="Bench", body="<p>Bench</p>")
        yield campaign
