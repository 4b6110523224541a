"""Simulated recipients: what reaches the sender's mailbox and the tracker."""

from __future__ import annotations

import base64
import email
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mailbox.sandbox.recipients import keywords, plan
from tests.mailbox.sandbox.conftest import Running, mail
from tests.mailbox.sandbox.test_google import MAYA, draft, gmail, header, send
from tests.mailbox.sandbox.test_microsoft import NOA, graph


@dataclass
class Tracker:
    """A web server that notes what is asked of it: (method, path, body, user agent)."""

    base: str
    hits: list[tuple[str, str, str, str]] = field(default_factory=list)


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    hits: list[tuple[str, str, str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.note("GET")

        def do_POST(self) -> None:
            self.note("POST")

        def note(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            hits.append((method, self.path, body, self.headers.get("User-Agent", "")))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Tracker(f"http://127.0.0.1:{server.server_port}", hits)
    server.shutdown()
    server.server_close()


def arrived(sandbox: Running, mailbox: str) -> list[dict[str, Any]]:
    return [one for one in sandbox.get("messages", mailbox=mailbox) if one["folder"] == "inbox"]


def raw_of(users: Any, message_id: str) -> EmailMessage:
    got = users.messages().get(userId="me", id=message_id, format="raw").execute()
    message = email.message_from_bytes(base64.urlsafe_b64decode(got["raw"]), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_it_reads_keywords_from_the_local_part() -> None:
    assert keywords("ana.open2.click+reply@site.example") == ["open", "click", "reply"]
    assert keywords("reopened@site.example") == []
    assert plan("ana.reply2@site.example", 1) == []
    assert plan("ana.reply2@site.example", 2) == ["reply2"]
    assert plan("x.reply.open@site.example", 1) == ["open", "reply"]
    assert plan("x.softbounce@site.example", 1) == ["delayed", "softbounce"]


def test_it_mixes_addresses_without_keywords() -> None:
    plans = [plan(f"person{number}@site{number}.example", 1) for number in range(2000)]
    share = {
        act: sum(act in one for one in plans) / 20 for act in ("open", "click", "reply", "ooo", "bounce")
    }
    assert 21 < share["open"] < 29
    assert 7 < share["click"] < 13
    assert 16 < share["reply"] < 24
    assert 3 < share["ooo"] < 7
    assert 3 < share["bounce"] < 7


def test_it_opens_clicks_and_answers_in_that_order(sandbox: Running, tracker: Tracker) -> None:
    users = gmail(sandbox)
    html = (
        f'<p>Hi <a href="{tracker.base}/u/opt">stop</a> <a href="https://far.example/">far</a> '
        f'<a href="{tracker.base}/c/tok?a=1&amp;b=2">go</a></p><img src="{tracker.base}/o/tok.gif">'
    )
    sent = send(users, draft(users, mail("Ana Lopez <ana.click.open.reply@site.example>", html=html))["id"])
    (reply,) = sandbox.wait(lambda: arrived(sandbox, MAYA))
    assert [(hit[0], hit[1]) for hit in tracker.hits] == [("GET", "/o/tok.gif"), ("GET", "/c/tok?a=1&b=2")]
    assert "Chrome" in tracker.hits[1][3]
    assert reply["thread"] == sent["threadId"]
    message = raw_of(users, reply["id"])
    stamped = header(users, sent["id"], "Message-ID")
    assert message["From"] == "Ana Lopez <ana.click.open.reply@site.example>"
    assert (message["In-Reply-To"], message["References"]) == (stamped, stamped)
    body = message.get_body(("plain",))
    assert body is not None
    assert "maya@studio.example> wrote:" in body.get_content()
    assert "> Hi there" in body.get_content()


@pytest.mark.parametrize(
    ("keyword", "words"),
    [
        ("replyde", "schrieb Maya <maya@studio.example>:"),
        ("replyhtml", "<script>"),
        ("stop", "stop mailing me"),
        ("paid", "handling fee"),
        ("removed", "have been removed"),
        ("wrong", "wrong person"),
        ("other", "my other address"),
    ],
)
def test_it_answers_in_many_ways(sandbox: Running, keyword: str, words: str) -> None:
    users = gmail(sandbox)
    address = f"ana.{keyword}@site.example"
    sent = send(users, draft(users, mail(address))["id"])
    (reply,) = sandbox.wait(lambda: arrived(sandbox, MAYA))
    assert reply["thread"] == sent["threadId"]
    message = raw_of(users, reply["id"])
    parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    assert any(words in part for part in parts)
    assert (address in message["From"]) == (keyword != "other")


def test_it_bounces_as_gmail_does(sandbox: Running) -> None:
    users = gmail(sandbox)
    sent = send(users, draft(users, mail("ana.bounce@site.example"))["id"])
    (report,) = sandbox.wait(lambda: arrived(sandbox, MAYA))
    assert report["thread"] == sent["threadId"]
    message = raw_of(users, report["id"])
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert message["X-Failed-Recipients"] == "ana.bounce@site.example"
    assert "mailer-daemon@googlemail.com" in message["From"]
    (status,) = [part for part in message.walk() if part.get_content_type() == "message/delivery-status"]
    fields = status.get_payload()
    assert isinstance(fields, list)
    recipient = fields[1]
    assert not isinstance(recipient, str)
    assert (recipient["Action"], recipient["Status"]) == ("failed", "5.1.1")
    (returned,) = [part for part in message.walk() if part.get_content_type() == "text/rfc822-headers"]
    assert header(users, sent["id"], "Message-ID") in str(returned.get_payload())


def test_it_reports_delay_and_full_mailbox(sandbox: Running) -> None:
    client = graph(sandbox)
    made = client.draft("ana.softbounce@site.example")
    client.send(made["id"])
    reports = sandbox.wait(lambda: len(arrived(sandbox, NOA)) == 2 and arrived(sandbox, NOA))
    assert {report["thread"] for report in reports} == {made["conversationId"]}
    texts = [client.call("GET", f"/me/messages/{one['id']}/$value").text for one in reports]
    assert "Action: delayed" in texts[0]
    assert "Action: failed" in texts[1]
    assert all("Status: 4.2.2" in text for text in texts)


def test_it_marks_an_automatic_answer(sandbox: Running) -> None:
    client = graph(sandbox)
    client.send(client.draft("ana.ooo@site.example")["id"])
    (reply,) = sandbox.wait(lambda: arrived(sandbox, NOA))
    select = "$select=id,subject,internetMessageHeaders"
    expand = "$expand=singleValueExtendedProperties($filter=id eq 'String 0x001A')"
    got = client.get(f"/me/messages/{reply['id']}?{select}&{expand}")
    headers = {one["name"]: one["value"] for one in got["internetMessageHeaders"]}
    assert headers["Auto-Submitted"] == "auto-replied"
    assert got["subject"] == "Automatic reply: Hello"
    kind = got["singleValueExtendedProperties"][0]["value"]
    assert kind == "IPM.Note.Rules.OofTemplate.Microsoft"


@pytest.mark.parametrize("profile", ["lenient", "hostile"])
def test_it_opts_out_by_header_or_else_by_the_link(sandbox: Running, tracker: Tracker, profile: str) -> None:
    sandbox.post("settings", profile=profile)
    users = gmail(sandbox)
    headers = {"List-Unsubscribe": f"<{tracker.base}/u/header>, <mailto:x@y.example>"}
    html = f'<a href="{tracker.base}/c/1">x</a> <a href="{tracker.base}/u/body">stop</a>'
    send(users, draft(users, mail("ana.optout@site.example", html=html, headers=headers))["id"])
    sandbox.wait(lambda: tracker.hits)
    path = "/u/header" if profile == "lenient" else "/u/body"
    assert tracker.hits[0][:3] == ("POST", path, "List-Unsubscribe=One-Click")


def test_it_fetches_nothing_beyond_this_machine(sandbox: Running) -> None:
    users = gmail(sandbox)
    html = '<a href="http://far.example/c/1">x</a><img src="http://10.0.0.1/o.gif">'
    send(users, draft(users, mail("ana.open.click.optout@site.example", html=html))["id"])
    acts = sandbox.wait(lambda: len(sandbox.get("acts")) == 3 and sandbox.get("acts"))
    assert [act["outcome"] for act in acts] == ["no pixel", "no link", "no opt-out link"]


def test_it_delivers_between_its_own_accounts(sandbox: Running) -> None:
    users = gmail(sandbox)
    client = graph(sandbox)
    send(users, draft(users, mail(NOA))["id"])
    (one,) = arrived(sandbox, NOA)
    assert client.get(f"/me/messages/{one['id']}?$select=subject")["subject"] == "Hello"
    assert json.dumps(sandbox.get("acts")) == "[]"
