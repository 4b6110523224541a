"""The activity log as people read it: who may, what narrows it, its files, and what each line holds."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import audit, origin
from accounts.activity import sealing
from accounts.activity.chain import verify
from accounts.models import AuditEvent, AuditSeal, AuditText, Membership, User, Workspace
from accounts.origin import ActorKind
from accounts.tasks import wake_sealer
from accounts.tenancy import NoWorkspace, workspace
from tests.accounts.test_origin import CHROME
from tests.roles import as_owner

SignedIn = Callable[[User], Client]


def url(ws: Workspace, rest: str = "") -> str:
    return f"/w/{ws.slug}/activity/{rest}"


def text(answer: Any) -> str:
    parts = answer.streaming_content if getattr(answer, "streaming", False) else [answer.content]
    return b"".join(parts).decode()


# --- what a line holds ---------------------------------------------------------------------------------


def test_it_writes_down_who_did_what_to_what_and_from_where(
    admin: User, ws: Workspace, signed_in: SignedIn
) -> None:
    browser = signed_in(admin)
    fields = {"about": "workspace", "ws-name": "Studio North", "ws-postal_address": "1 Mill Road, Harwick"}
    browser.post(f"/w/{ws.slug}/settings/", fields, REMOTE_ADDR="203.0.113.77", HTTP_USER_AGENT=CHROME)
    with workspace(ws):
        line = AuditEvent.objects.get(action="workspace.changed")
        assert (line.actor, line.actor_id, line.actor_kind) == (admin, admin.sid, ActorKind.PERSON)
        assert (line.place, line.device, line.country) == ("203.0.113.0/24", "Chrome on Windows", "")
        assert (line.object_kind, line.object_id) == ("workspace", str(ws.pk))
        assert "203.0.113.77" not in str(AuditEvent.objects.values().get(pk=line.pk))


def test_it_writes_down_the_key_that_acted(in_ws: Workspace, owner: User) -> None:
    place = origin.Origin("203.0.113.0/24", "DE", "curl", "", ActorKind.PERSON)
    with origin.origin(place), origin.under(credential="out_key_abcdef"):
        line = audit.record("contact.created", "Ana was added", actor=owner, object_id="1")
    line.refresh_from_db()
    assert (line.actor_kind, line.credential, line.place) == (
        ActorKind.KEY,
        "out_key_abcdef",
        "203.0.113.0/24",
    )


def test_it_keeps_no_trace_of_where_a_recipient_was(in_ws: Workspace) -> None:
    with origin.origin(origin.Origin("203.0.113.0/24", "DE", "curl", "", ActorKind.PERSON)):
        line = audit.record("recipient.says_removed", "Ana says that the link is gone")
    assert (line.actor_kind, line.place, line.country, line.device) == (ActorKind.PRODUCT, "", "", "")


def test_it_keeps_words_and_salt_as_ciphertext_beside_the_line(in_ws: Workspace) -> None:
    line = audit.record("contact.deleted", "ana@kingfisher.example deleted")
    with connection.cursor() as cursor:
        cursor.execute("SELECT sentence, salt FROM accounts_audittext WHERE event_id = %s", [line.pk])
        sentence, salt = (bytes(value) for value in cursor.fetchone())
    assert b"kingfisher" not in sentence
    assert line.text.salt.encode() not in salt
    assert len(bytes(AuditEvent.objects.get(pk=line.pk).digest)) == 32


def test_it_writes_all_of_a_line_or_nothing(in_ws: Workspace) -> None:
    def broken() -> None:
        with transaction.atomic():
            audit.record("test.act", "Gone")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert not AuditEvent.objects.filter(action="test.act").exists()
    assert not AuditText.objects.filter(event__action="test.act").exists()


@pytest.mark.parametrize("as_role", ["product", "owner"])
def test_it_lets_nobody_change_or_delete_a_line(as_role: str, in_ws: Workspace) -> None:
    line = audit.record("test.act", "Stays")
    sealing.seal()
    tries = [
        "UPDATE accounts_auditevent SET action = 'x'",
        "DELETE FROM accounts_auditevent",
        "TRUNCATE accounts_auditevent CASCADE",
        "UPDATE accounts_auditseal SET seq = seq + 1",
        "DELETE FROM accounts_auditseal",
    ]

    def attempt(sql: str) -> None:
        with transaction.atomic(), as_owner() if as_role == "owner" else nullcontext():
            with connection.cursor() as cursor:
                cursor.execute(sql)

    for sql in tries:
        with pytest.raises(DatabaseError):
            attempt(sql)
    line.refresh_from_db()
    assert line.action == "test.act"


def test_it_outlives_the_account_of_the_person(ws: Workspace, member: User) -> None:
    with workspace(ws):
        audit.record("test.act", "Milo did it", actor=member)
        sid = member.sid
        Membership.objects.filter(user=member).delete()
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM account_emailaddress WHERE user_id = %s", [member.pk])
            cursor.execute("DELETE FROM accounts_user WHERE id = %s", [member.pk])
        line = audit.lines().get(action="test.act")
        assert (line.actor, line.actor_id, line.sentence) == (None, sid, "Milo did it")


# --- who reads it, and how -----------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["member", "viewer"])
@pytest.mark.parametrize("rest", ["", "export/", "verifier/"])
def test_it_is_for_owners_and_admins(
    role: str, rest: str, ws: Workspace, signed_in: SignedIn, request: pytest.FixtureRequest
) -> None:
    browser = signed_in(request.getfixturevalue(role))
    assert browser.get(url(ws, rest)).status_code == 403
    assert "activity/" not in text(browser.get(f"/w/{ws.slug}/settings/"))


def test_it_shows_it_to_an_admin(admin: User, ws: Workspace, signed_in: SignedIn) -> None:
    page = text(signed_in(admin).get(url(ws)))
    assert "Workspace Studio created" in page


@pytest.fixture
def acts(ws: Workspace, owner: User, member: User, later: Callable[..., None]) -> Workspace:
    with workspace(ws):
        audit.record("campaign.launched", "Campaign Spring launched", actor=owner, object_id="one")
        audit.record("campaign.paused", "Campaign Spring paused", actor=member, object_id="one")
        audit.record("project.created", "Project Alpha made", actor=member, object_id="two")
        audit.record("message.accepted", "Mail accepted", object_id="three")
    return ws


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("", {"launched", "paused", "Alpha", "accepted", "created"}),
        ("who=product", {"accepted"}),
        ("who=key", set()),
        ("who={member}", {"paused", "Alpha"}),
        ("kind=campaign", {"launched", "paused"}),
        ("object=one", {"launched", "paused"}),
        ("object=one&who={member}", {"paused"}),
        ("from={today}&to={today}", {"launched", "paused", "Alpha", "accepted", "created"}),
        ("from={tomorrow}", set()),
        ("to={yesterday}", set()),
        # What cannot be read narrows nothing, or finds nothing; it never breaks.
        ("from=never&to=2026-99-99&before=x", {"launched", "paused", "Alpha", "accepted", "created"}),
        ("to=9999-12-31&from=0001-01-01", {"launched", "paused", "Alpha", "accepted", "created"}),
        ("who=" + "U" * 500, set()),
        ("kind=%27+OR+1=1&object=%E2%80%A8", set()),
    ],
)
def test_it_narrows_the_list(
    query: str, seen: set[str], acts: Workspace, owner: User, member: User, signed_in: SignedIn
) -> None:
    today = dt.datetime.now(dt.UTC).date()
    day = dt.timedelta(days=1)
    query = query.format(member=member.sid, today=today, tomorrow=today + day, yesterday=today - day)
    answer = signed_in(owner).get(f"{url(acts)}?{query}")
    assert answer.status_code == 200
    body = text(answer).partition("<table")[2].partition("</table>")[0]
    sentences = {
        "launched": "Campaign Spring launched",
        "paused": "Campaign Spring paused",
        "Alpha": "Project Alpha made",
        "accepted": "Mail accepted",
        "created": "Workspace Studio created",
    }
    assert {word for word, sentence in sentences.items() if sentence in body} == seen


def test_it_turns_pages_without_counting(ws: Workspace, owner: User, signed_in: SignedIn) -> None:
    with workspace(ws):
        for number in range(60):
            audit.record("test.act", f"Act number {number}.", actor=owner)
    browser = signed_in(owner)
    first = text(browser.get(url(ws)))
    assert "Act number 59." in first
    assert "Act number 9." not in first
    onward = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = text(browser.get(url(ws) + onward))
    assert "Act number 9." in second
    assert "Act number 10." not in second
    assert 'rel="next"' not in second
    assert "Newest" in second


def test_it_asks_the_same_number_of_questions_however_long_the_log(
    ws: Workspace, owner: User, signed_in: SignedIn
) -> None:
    browser = signed_in(owner)
    counts = []
    for _ in range(2):
        with workspace(ws):
            for number in range(20):
                audit.record("test.act", f"Act {number}", actor=owner)
            sealing.seal()
        browser.get(url(ws))
        with CaptureQueriesContext(connection) as asked:
            browser.get(url(ws))
        counts.append(len(asked))
        assert not any("COUNT(*)" in one["sql"] and "auditevent" in one["sql"] for one in asked)
    assert counts[0] == counts[1]


def test_it_says_how_far_it_is_sealed(ws: Workspace, owner: User, signed_in: SignedIn) -> None:
    browser = signed_in(owner)
    page = text(browser.get(url(ws)))
    assert "Nothing is sealed yet." in page
    assert "1 act waits for the seal" in page
    wake_sealer()
    page = text(browser.get(url(ws)))
    assert "1 act." in page
    assert "waits" not in page


def test_it_marks_a_line_that_was_changed_behind_the_product(
    ws: Workspace, owner: User, signed_in: SignedIn
) -> None:
    with workspace(ws):
        line = audit.record("campaign.launched", "Campaign Spring launched", actor=owner)
        audit.record("campaign.paused", "Campaign Spring paused", actor=owner)
        sealing.seal()
    browser = signed_in(owner)
    assert "changed behind the product" not in text(browser.get(url(ws)))
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE accounts_auditevent SET actor_sid = NULL WHERE id = %s", [line.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    page = text(browser.get(url(ws)))
    assert "This log was changed behind the product." in page
    assert "1 line on this page does not fit the chain" in page


# --- files ---------------------------------------------------------------------------------------------


def test_it_writes_a_spreadsheet_in_which_nothing_runs(
    acts: Workspace, owner: User, signed_in: SignedIn
) -> None:
    with workspace(acts):
        audit.record("project.created", '=HYPERLINK("x") made', actor=owner, object_id="@two")
        audit.record("project.created", "a;=1+1\nb", actor=owner)
    answer = signed_in(owner).post(url(acts, "export/"), {"format": "csv"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(text(answer).removeprefix("\ufeff"))))
    assert rows[0][:3] == ["Time (UTC)", "What happened", "Who"]
    assert rows[1][1] == "The activity log was downloaded as CSV"
    assert {row[1] for row in rows[2:4]} == {"a;'=1+1\nb", '\'=HYPERLINK("x") made'}
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell]


def test_it_puts_into_the_spreadsheet_what_was_asked_for(
    acts: Workspace, owner: User, signed_in: SignedIn
) -> None:
    answer = signed_in(owner).post(url(acts, "export/?kind=campaign"), {"format": "csv"})
    rows = list(csv.reader(io.StringIO(text(answer).removeprefix("\ufeff"))))
    assert [row[1] for row in rows[1:]] == ["Campaign Spring paused", "Campaign Spring launched"]


def test_it_streams_more_than_one_batch(
    ws: Workspace, owner: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 3)
    with workspace(ws):
        for number in range(10):
            audit.record("test.act", f"Act {number}", actor=owner)
    browser = signed_in(owner)
    rows = text(browser.post(url(ws, "export/"), {"format": "csv"})).splitlines()
    assert len(rows) == 1 + 10 + 1 + 1
    lines = text(browser.post(url(ws, "export/"), {"format": "jsonl"})).splitlines()
    assert len(lines) == 1 + 10 + 1 + 2
    assert verify(lines).is_whole


def test_it_exports_a_chain_that_verifies_and_holds_the_export_itself(
    acts: Workspace, owner: User, signed_in: SignedIn, stranger: User
) -> None:
    browser = signed_in(owner)
    lines = text(browser.post(url(acts, "export/"), {"format": "jsonl"})).splitlines()
    report = verify(lines)
    assert report.faults == ()
    assert json.loads(lines[-1])["event"]["action"] == "activity.exported"
    assert report.events == len(lines) - 1
    assert "Elsewhere" not in "".join(lines)
    changed = [line.replace("Campaign Spring paused", "Campaign Winter paused") for line in lines]
    assert not verify(changed).is_whole


def test_it_leaves_nothing_open_behind_a_file(acts: Workspace, owner: User, signed_in: SignedIn) -> None:
    answer: Any = signed_in(owner).post(url(acts, "export/"), {"format": "jsonl"})
    chunks = iter(answer.streaming_content)
    next(chunks)
    with pytest.raises(NoWorkspace):
        AuditSeal.objects.count()
    list(chunks)


def test_it_gives_the_verifier_away(owner: User, ws: Workspace, signed_in: SignedIn) -> None:
    body = text(signed_in(owner).get(url(ws, "verifier/")))
    compile(body, "audit_chain.py", "exec")
    assert "def verify(" in body


@pytest.mark.parametrize("fields", [{}, {"format": "xlsx"}, {"format": "csv\x00"}])
def test_it_refuses_a_file_it_does_not_know(
    fields: dict[str, str], owner: User, ws: Workspace, signed_in: SignedIn
) -> None:
    assert signed_in(owner).post(url(ws, "export/"), fields).status_code == 400
    with workspace(ws):
        assert not AuditEvent.objects.filter(action="activity.exported").exists()


def test_it_asks_for_a_fresh_proof_before_a_file(owner: User, ws: Workspace) -> None:
    browser = Client()
    browser.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = browser.post(url(ws, "export/"), {"format": "csv"})
    assert answer.status_code == 302
    assert "authenticate" in answer.headers["Location"]
    assert browser.get(url(ws)).status_code == 200


def test_it_mails_heads_only_where_an_owner_wants_them(
    owner: User, admin: User, ws: Workspace, signed_in: SignedIn
) -> None:
    assert signed_in(admin).post(url(ws, "mail/"), {"mails": "on"}).status_code == 403
    browser = signed_in(owner)
    for wanted in ("on", "on", ""):
        browser.post(url(ws, "mail/"), {"mails": wanted})
        ws.refresh_from_db()
        assert ws.mails_anchors == bool(wanted)
    with workspace(ws):
        assert AuditEvent.objects.filter(action="workspace.anchors", actor=owner).count() == 2
