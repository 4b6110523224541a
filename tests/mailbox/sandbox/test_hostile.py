"""The hostile sides of the sandbox: what the user and the provider do, quotas (faults.md 7.1)."""

from __future__ import annotations

import base64
import signal
import sqlite3
import time
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.mailbox.sandbox.conftest import Running, base64url, free_port, mail, start
from tests.mailbox.sandbox.test_faults import TO, Gmail
from tests.mailbox.sandbox.test_google import MAYA
from tests.mailbox.sandbox.test_microsoft import KEY, NOA, Graph, code, graph

OLD_LEDGER = """
CREATE TABLE ledger (pk INTEGER PRIMARY KEY, provider TEXT NOT NULL, account INTEGER NOT NULL,
    mailbox TEXT NOT NULL, recipients TEXT NOT NULL, subject TEXT NOT NULL, raw BLOB NOT NULL,
    message_id TEXT NOT NULL, thread TEXT NOT NULL, provider_id TEXT NOT NULL, properties TEXT NOT NULL,
    accepted_at REAL NOT NULL);
INSERT INTO ledger VALUES (1, 'google', 1, 'm@s.example', '["a@b.example"]', 'Old', x'', '', '', '', '{}', 1);
"""


def google_error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["errors"][0]["reason"]


def folders(sandbox: Running, mailbox: str) -> list[str]:
    return [one["folder"] for one in sandbox.get("messages", mailbox=mailbox)]


# --- what the user does (F43, F44) ------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["google", "microsoft"])
@pytest.mark.parametrize(
    ("kind", "left", "accepted"),
    [("user_deletes", [], 0), ("user_edits", ["drafts"], 0), ("user_sends", ["sentitems"], 1)],
)
def test_it_lets_the_user_at_a_draft(
    sandbox: Running, provider: str, kind: str, left: list[str], accepted: int
) -> None:
    """F43: planted with the draft, done by the user afterwards."""
    mailbox = MAYA if provider == "google" else NOA
    client: Gmail | Graph = Gmail(sandbox) if provider == "google" else graph(sandbox)
    sandbox.post("faults", mailbox=mailbox, op="draft", kind=kind, after=60)
    client.draft()
    assert folders(sandbox, mailbox) == ["drafts"]
    sandbox.post("clock", advance=60)
    sandbox.wait(lambda: sandbox.get("health")["pending"] == 0)
    assert folders(sandbox, mailbox) == left
    assert [entry["how"] for entry in sandbox.get("ledger")] == ["hand"] * accepted
    if kind == "user_edits":
        (edited,) = sandbox.get("messages", mailbox=mailbox)
        assert edited["subject"] == "Hello (edited)"


def test_it_gives_an_edited_draft_another_message_id_at_google(sandbox: Running) -> None:
    """F43: the draft keeps its id, the message in it does not (providers.md 3.4)."""
    client = Gmail(sandbox)
    draft = client.draft()
    before = client.get(f"/drafts/{draft}").json()["message"]["id"]
    sandbox.post("edit", email=MAYA, draft=draft, subject="Other words")
    assert client.get(f"/drafts/{draft}").json()["message"]["id"] != before


def test_it_gives_an_edited_draft_another_change_key_at_microsoft(sandbox: Running) -> None:
    client = graph(sandbox)
    made = client.draft()
    sandbox.post("edit", email=NOA, draft=made["id"])
    now = client.get(f"/me/messages/{made['id']}")
    assert (now["id"], now["changeKey"] != made["changeKey"]) == (made["id"], True)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_lets_the_user_send_by_hand_once(sandbox: Running, provider: str) -> None:
    """F43: what was sent by hand answers our submit with 404."""
    if provider == "google":
        client = Gmail(sandbox)
        draft = client.draft()
        sandbox.post("send", email=MAYA, draft=draft)
        assert client.send(draft).status_code == 404
    else:
        other = graph(sandbox)
        draft = other.draft()["id"]
        sandbox.post("send", email=NOA, draft=draft)
        assert other.send(draft) == 404
    (entry,) = sandbox.get("ledger")
    assert (entry["how"], entry["call"]) == ("hand", None)
    mailbox = MAYA if provider == "google" else NOA
    gone = requests.post(f"{sandbox.http}/_sandbox/send", json={"email": mailbox, "draft": draft}, timeout=5)
    assert gone.status_code == 404


def test_it_lets_the_user_delete_the_sent_mail(sandbox: Running) -> None:
    """F44: accepted, and nothing is left to find."""
    client = Gmail(sandbox)
    sandbox.post("faults", mailbox=MAYA, op="send", kind="user_forgets")
    assert client.send(client.draft()).status_code == 200
    sandbox.wait(lambda: folders(sandbox, MAYA) == [])
    assert len(sandbox.get("ledger")) == 1


# --- what the provider does -------------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_doubles_one_submit(sandbox: Running, provider: str) -> None:
    """F45: two sent copies under our key, two mails at the recipient, the second entry names the first."""
    sandbox.post("accounts", provider="google", email="ana@site.example")
    mailbox = MAYA if provider == "google" else NOA
    sandbox.post("faults", mailbox=mailbox, op="send", kind="double")
    if provider == "google":
        client = Gmail(sandbox)
        raw = base64url(mail("ana@site.example"))
        draft = client.post("/drafts", {"message": {"raw": raw}}).json()["id"]
        assert client.send(draft).status_code == 200
    else:
        other = graph(sandbox)
        properties = [{"id": KEY, "value": "row-1"}]
        made = other.draft("ana@site.example", singleValueExtendedProperties=properties)
        assert other.send(made["id"]) == 202
        wish = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq 'row-1')"
        found = other.get("/me/mailFolders/sentitems/messages", params={"$filter": wish, "$select": "id"})
        assert len(found["value"]) == 2
    one, two = sandbox.get("ledger")
    assert (one["how"], one["copy_of"], two["how"], two["copy_of"]) == ("call", None, "double", one["pk"])
    assert one["call"] == two["call"]
    assert folders(sandbox, mailbox) == ["sentitems"] * 2
    assert folders(sandbox, "ana@site.example") == ["inbox"] * 2


@pytest.mark.parametrize(
    ("kind", "at_google", "at_microsoft"),
    [
        ("mailbox_full", (400, "failedPrecondition"), (403, "ErrorQuotaExceeded")),
        ("suspended", (400, "failedPrecondition"), (403, "ErrorMessageSubmissionBlocked")),
        ("licence_removed", (400, "failedPrecondition"), (404, "MailboxNotEnabledForRESTAPI")),
        ("blocked_by_admin", (403, "domainPolicy"), (403, "ErrorAccessDenied")),
    ],
)
def test_it_loses_the_account(
    sandbox: Running, kind: str, at_google: tuple[int, str], at_microsoft: tuple[int, str]
) -> None:
    """F46: for ever, until somebody helps; nothing is accepted."""
    client, other = Gmail(sandbox), graph(sandbox)
    draft, made = client.draft(), other.draft()
    sandbox.post("faults", op="send", kind=kind, times=0)
    for _ in range(2):
        assert google_error(client.send(draft)) == at_google
        assert code(other.call("POST", f"/me/messages/{made['id']}/send")) == at_microsoft
    sandbox.post("faults/clear")
    assert client.send(draft).status_code == 200
    assert other.send(made["id"]) == 202
    assert len(sandbox.get("ledger")) == 2


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        ("suspended", 400, "invalid_grant"),
        ("blocked_by_admin", 400, "invalid_grant"),
        ("mailbox_full", 200, None),
    ],
)
def test_it_refuses_tokens_of_a_lost_account(
    sandbox: Running, kind: str, status: int, error: str | None
) -> None:
    client = Gmail(sandbox)
    sandbox.post("faults", mailbox=MAYA, op="token", kind=kind)
    form = {
        "grant_type": "refresh_token",
        "refresh_token": client.refresh_token,
        "client_id": "sandbox-google",
        "client_secret": "sandbox-google-secret",
    }
    answer = requests.post(f"{sandbox.http}/google/token", data=form, timeout=5)
    assert (answer.status_code, answer.json().get("error")) == (status, error)


def test_it_words_retry_after_in_each_way(sandbox: Running) -> None:
    """F6: seconds, a date, absent, absurd."""
    client = Gmail(sandbox)
    draft = client.draft()
    found = []
    for wish in ({"retry_after": 7}, {}, {"retry_after": "soon"}, {"retry_after": "date:90"}):
        sandbox.post("faults", mailbox=MAYA, op="send", kind="throttle", **wish)
        found.append(client.send(draft).headers.get("Retry-After"))
    assert found[:3] == ["7", None, "soon"]
    until = parsedate_to_datetime(str(found[3])).timestamp()
    assert time.time() < until < time.time() + 91


@pytest.mark.parametrize(("strips", "kept"), [(True, 0), (False, 2)])
def test_it_strips_what_it_does_not_know(sandbox: Running, strips: bool, kept: int) -> None:
    sandbox.post("settings", strip_headers=strips)
    client = Gmail(sandbox)
    headers = {"X-Outreach-Id": "k1", "List-Unsubscribe": "<https://x.example/u/1>"}
    raw = base64url(mail(TO, headers=headers))
    client.send(client.post("/drafts", {"message": {"raw": raw}}).json()["id"])
    sent = base64.b64decode(sandbox.get("ledger")[0]["raw"]).decode()
    assert sum(name in sent for name in headers) == kept


# --- quotas -----------------------------------------------------------------------------------------


def test_it_counts_a_project_s_units_over_all_mailboxes(sandbox: Running) -> None:
    """F10: 1.2 million a minute for all users together; here 25."""
    one = Gmail(sandbox)
    sandbox.post("settings", project_units_per_minute=25)
    other = sandbox.post("grant", provider="google", email="lee@studio.example")
    headers = {"Authorization": "Bearer " + other["access_token"]}
    body = {"message": {"raw": base64url(mail(TO))}}
    assert one.post("/drafts", body).status_code == 200
    assert requests.post(one.base + "/drafts", json=body, headers=headers, timeout=5).status_code == 200
    over = requests.post(one.base + "/drafts", json=body, headers=headers, timeout=5)
    assert google_error(over) == (429, "rateLimitExceeded")
    sandbox.post("clock", advance=60)
    assert one.post("/drafts", body).status_code == 200


def test_it_takes_thirty_mails_a_minute_at_microsoft(sandbox: Running) -> None:
    """F9: the limit is a mailbox's own, and Retry-After says when it is over."""
    client, other = graph(sandbox), graph(sandbox, "lee@contoso.example")
    sandbox.post("settings", graph_mails_per_minute=2)
    statuses = [client.send(client.draft()["id"]) for _ in range(3)]
    assert statuses == [202, 202, 429]
    assert other.send(other.draft()["id"]) == 202
    waiting = client.call("POST", f"/me/messages/{client.draft()['id']}/send")
    assert code(waiting) == (429, "ApplicationThrottled")
    assert 1 <= int(waiting.headers["Retry-After"]) <= 60
    sandbox.post("clock", advance=60)
    assert client.send(client.draft()["id"]) == 202
    assert sandbox.get("settings")["graph_mails_per_minute"] == 2
    sandbox.post("settings", meter=False)
    assert [client.send(client.draft()["id"]) for _ in range(3)] == [202] * 3


def test_it_counts_requests_of_an_app_in_a_mailbox(sandbox: Running) -> None:
    """10,000 in ten minutes; here 3."""
    client = graph(sandbox)
    sandbox.post("settings", graph_requests_per_ten_minutes=3)
    assert [client.call("GET", "/me").status_code for _ in range(4)] == [200, 200, 200, 429]
    sandbox.post("clock", advance=599)
    assert client.call("GET", "/me").status_code == 429
    sandbox.post("clock", advance=2)
    assert client.call("GET", "/me").status_code == 200


def test_it_starts_with_the_documented_limits(sandbox: Running) -> None:
    shown = sandbox.get("settings")
    assert (shown["units_per_minute"], shown["project_units_per_minute"]) == (6_000, 1_200_000)
    assert (shown["graph_mails_per_minute"], shown["graph_requests_per_ten_minutes"]) == (30, 10_000)
    assert (shown["concurrency"], shown["meter"]) == (4, True)


# --- the ledger -------------------------------------------------------------------------------------


def test_it_names_the_call_of_each_accepted_mail(sandbox: Running) -> None:
    client = Gmail(sandbox)
    sandbox.post("clock", advance=5_000)
    client.send(client.draft())
    (entry,) = sandbox.get("ledger")
    (call,) = sandbox.get("calls", op="send")
    assert (entry["call"], entry["started_at"], entry["how"]) == (call["pk"], call["clock_at"], "call")
    assert call["at"] + 4_999 < entry["started_at"] <= entry["accepted_at"]


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_names_the_call_of_a_mail_accepted_late(sandbox: Running, provider: str) -> None:
    """F5: the start is the call's, the acceptance comes after it."""
    mailbox = MAYA if provider == "google" else NOA
    client: Any = Gmail(sandbox) if provider == "google" else graph(sandbox)
    draft = client.draft()
    draft = draft if provider == "google" else draft["id"]
    sandbox.post("faults", mailbox=mailbox, op="send", kind="accept_after", after=300)
    with pytest.raises(requests.ConnectionError):
        client.send(draft)
    (call,) = sandbox.get("calls", op="send")
    sandbox.post("clock", advance=300)
    (entry,) = sandbox.wait(lambda: sandbox.get("ledger"))
    assert (entry["call"], entry["how"], entry["started_at"]) == (call["pk"], "late", call["clock_at"])
    assert entry["accepted_at"] - entry["started_at"] >= 300


def test_it_lets_nobody_change_the_ledger(sandbox: Running) -> None:
    client = Gmail(sandbox)
    client.send(client.draft())
    with closing(sqlite3.connect(sandbox.directory / "ledger.sqlite3")) as book:
        for sql in ("UPDATE ledger SET mailbox = 'x'", "DELETE FROM ledger"):
            with pytest.raises(sqlite3.DatabaseError, match="only grows"):
                book.execute(sql)
    assert len(sandbox.get("ledger")) == 1


def test_it_goes_on_with_a_ledger_of_an_earlier_version(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3")) as book:
        book.executescript(OLD_LEDGER)
    running = start(tmp_path, free_port(), free_port())
    try:
        client = Gmail(running)
        client.send(client.draft())
        old, new = running.get("ledger")
        assert (old["subject"], old["call"], new["how"]) == ("Old", None, "call")
        assert new["call"]
    finally:
        running.process.terminate()
        running.process.wait(10)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_keeps_what_it_answered_when_it_is_killed(tmp_path: Path, provider: str) -> None:
    """The judge may not forget: each answered call is in the file, however the process ends."""
    ports = free_port(), free_port()
    running = start(tmp_path, *ports)
    client: Any = Gmail(running) if provider == "google" else graph(running)
    drafts = [client.draft() for _ in range(20)]
    for draft in drafts:
        client.send(draft if provider == "google" else draft["id"])
    running.process.send_signal(signal.SIGKILL)
    running.process.wait(10)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3")) as book:
        assert book.execute("SELECT count(*) FROM ledger").fetchone() == (20,)
        answered = book.execute("SELECT count(*) FROM calls WHERE op = 'send' AND status > 0").fetchone()
    assert answered == (20,)


def test_it_finds_the_words_of_a_mail_it_had_not_read(sandbox: Running) -> None:
    """Bodies are read when somebody searches: our token in the body is found, also after an edit."""
    client = Gmail(sandbox)
    raw = base64url(mail(TO, text="Stop: https://x.example/u/TOKEN-1"))
    draft = client.post("/drafts", {"message": {"raw": raw}}).json()["id"]
    assert len(client.get('/messages?q="TOKEN-1"').json().get("messages", [])) == 1
    client.send(draft)
    (sent,) = client.get('/messages?q=in:sent "TOKEN-1"').json()["messages"]
    assert client.get(f"/messages/{sent['id']}?format=metadata").json()["snippet"].startswith("Stop:")
    assert "messages" not in client.get('/messages?q="TOKEN-2"').json()
