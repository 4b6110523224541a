"""Pictures of a mail: for who asks, through our own server, and for nobody else (threats T16)."""

from __future__ import annotations

import datetime as dt
import io
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core import signing
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse
from PIL import Image

from accounts import clock, outbound
from accounts.limits import Limit
from accounts.models import User, Workspace
from accounts.tenancy import workspace
from mailbox.parsing.html import keep
from outreach.inbox import pictures
from outreach.models import MessageState, Reply
from tests.factories import make_message, make_reply, make_thread

pytestmark = pytest.mark.django_db

Server = tuple[int, list[str], dict[str, bytes]]
MAIL = (
    '<p>Hello <img src="http://pics.example/hut.png?who=brisa" alt="Our hut" width=200>'
    '<img src="http://pics.example/open.gif" width=1 height=1></p>'
)


def drawn() -> bytes:
    into = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(into, "PNG")
    return into.getvalue()


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """The sender's server: its port, what it was asked, what it answers."""
    asked: list[str] = []
    answers = {"/hut.png": drawn(), "/script.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = answers.get(self.path.partition("?")[0], b"")
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "image/svg+xml")
            self.send_header("Set-Cookie", "who=you")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    names = {"pics.example": f"127.0.0.1:{port}"}
    with override_settings(OUTBOUND_NAMES=names, OUTBOUND_ALLOW=["127.0.0.1"]):
        yield port, asked, answers
    server.shutdown()
    server.server_close()


@pytest.fixture
def reply(ws: Workspace) -> Reply:
    return made(ws, MAIL)


def made(ws: Workspace, html: str) -> Reply:
    with workspace(ws):
        message = make_message(state=MessageState.SENT)
        message.thread = message.thread or make_thread(message.enrollment)  # type: ignore[arg-type]
        return make_reply(message, html=keep(html))


def frame_of(ws: Workspace, reply: Reply) -> str:
    return f"/w/{ws.slug}/replies/{reply.pk}/original/"


def sources(body: str) -> list[str]:
    return [
        source.removeprefix("http://testserver") for source in re.findall(r'<img[^>]* src="([^"]*)"', body)
    ]


def test_it_loads_no_picture_until_somebody_asks(
    ws: Workspace, reply: Reply, owner: User, signed_in: Callable[[User], Client], elsewhere: Server
) -> None:
    me = signed_in(owner)
    frame = me.get(frame_of(ws, reply))
    body = frame.content.decode()
    assert "Our hut" in body
    assert "<img" not in body
    assert "pics.example" not in body
    assert "img-src" not in frame["Content-Security-Policy"]
    # An address cannot ask: only our own button does.
    assert "<img" not in me.get(f"{frame_of(ws, reply)}?pictures=yes").content.decode()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = me.cookies
    assert strict.post(frame_of(ws, reply)).status_code == 403
    page = me.get(f"/w/{ws.slug}/inbox/{reply.thread_id}/").content.decode()
    assert "Show pictures" in page
    assert "nothing about you" in page
    assert elsewhere[1] == []


def test_it_offers_nothing_where_a_mail_has_no_pictures(
    ws: Workspace, owner: User, signed_in: Callable[[User], Client]
) -> None:
    bare = made(ws, '<p>Hello</p><img src="http://pics.example/open.gif" width=1 height=1>')
    assert "Show pictures" not in signed_in(owner).get(f"/w/{ws.slug}/inbox/{bare.thread_id}/").text


def test_it_shows_them_from_our_own_server_for_who_asks(
    ws: Workspace, reply: Reply, owner: User, signed_in: Callable[[User], Client], elsewhere: Server
) -> None:
    frame = signed_in(owner).post(frame_of(ws, reply))
    body = frame.content.decode()
    assert frame["Content-Security-Policy"].endswith("; img-src http://testserver/pictures/")
    assert "pics.example" not in body
    (ours,) = sources(body)
    assert "hut" not in ours
    # The frame has no cookies: the address alone is the right.
    answer = Client().get(ours)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, max-age=600"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not answer.cookies
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert shown.size == (60, 40)
    assert elsewhere[1] == ["/hut.png?who=brisa"]


def test_it_shows_nothing_that_is_no_picture(
    ws: Workspace, owner: User, signed_in: Callable[[User], Client], elsewhere: Server
) -> None:
    for name in ("script.png", "missing.png"):
        row = made(ws, f'<img src="http://pics.example/{name}">')
        (ours,) = sources(signed_in(owner).post(frame_of(ws, row)).content.decode())
        assert Client().get(ours).status_code == 404
    assert len(elsewhere[1]) == 2


def test_it_reaches_nothing_inside(ws: Workspace, owner: User, signed_in: Callable[[User], Client]) -> None:
    row = made(ws, '<img src="http://169.254.169.254/latest/meta-data"><img src="http://127.0.0.1/a">')
    found = sources(signed_in(owner).post(frame_of(ws, row)).content.decode())
    assert [Client().get(ours).status_code for ours in found] == [404, 404]


def token(reply: Reply, tag: str, *, salt: str = pictures.PURPOSE, age: int = 0) -> str:
    made_at = int(clock.now().timestamp()) - age
    what = [reply.workspace_id.hex, reply.pk.hex, tag, made_at]
    address = reverse("outreach:picture", kwargs={"token": signing.dumps(what, salt=salt)})
    return address


def test_it_takes_an_address_for_one_picture_of_one_mail_and_ten_minutes(
    ws: Workspace, reply: Reply, elsewhere: Server
) -> None:
    tag = pictures._tag("http://pics.example/hut.png?who=brisa")
    good = token(reply, tag)
    assert Client().get(good).status_code == 200
    other = made(ws, "<p>No picture</p>")
    tracker = pictures._tag("http://pics.example/open.gif")
    bad = [
        token(reply, tag, salt="mailbox.stop"),
        token(reply, tag, age=601),
        token(reply, tag, age=-60),
        token(reply, tracker),
        token(reply, ""),
        token(other, tag),
        good[:-2] + "x/",
        "/pictures/nobody/",
    ]
    assert [Client().get(one).status_code for one in bad] == [404] * len(bad)
    assert Client().post(good).status_code == 405
    with workspace(ws):
        Reply.objects.filter(pk=reply.pk).delete()
    assert Client().get(good).status_code == 404
    assert len(elsewhere[1]) == 1


def test_it_does_not_find_a_mail_in_another_workspace(
    stranger: User, reply: Reply, elsewhere: Server
) -> None:
    house = stranger.memberships.get().workspace
    what = [house.pk.hex, reply.pk.hex, pictures._tag("http://pics.example/hut.png?who=brisa")]
    address = signing.dumps([*what, int(clock.now().timestamp())], salt=pictures.PURPOSE)
    assert Client().get(reverse("outreach:picture", kwargs={"token": address})).status_code == 404
    assert elsewhere[1] == []


def test_it_fetches_no_more_than_its_share(
    ws: Workspace, reply: Reply, elsewhere: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    good = token(reply, pictures._tag("http://pics.example/hut.png?who=brisa"))
    monkeypatch.setattr(pictures, "PER_WORKSPACE", Limit(f"p{uuid.uuid4()}", 2, 60))
    assert [Client().get(good).status_code for _ in range(3)] == [200, 200, 404]
    monkeypatch.setattr(pictures, "PER_WORKSPACE", Limit(f"p{uuid.uuid4()}", 9, 60))
    monkeypatch.setattr(pictures, "_TURN_SECONDS", 0.05)
    held = [pictures._turns.acquire(timeout=1) for _ in range(pictures.AT_ONCE)]
    assert all(held)
    assert Client().get(good).status_code == 404
    for _ in held:
        pictures._turns.release()
    assert Client().get(good).status_code == 200


def test_it_fetches_outside_of_any_transaction(
    reply: Reply, elsewhere: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door itself refuses it; what it is given is how long a stranger may take."""
    seen: list[dict[str, Any]] = []

    def get(url: str, **how: Any) -> outbound.Answer:
        seen.append({"url": url, **how})
        raise outbound.Unreachable("test")

    monkeypatch.setattr(outbound, "get", get)
    good = token(reply, pictures._tag("http://pics.example/hut.png?who=brisa"))
    assert Client().get(good).status_code == 404
    assert seen[0]["purpose"] is outbound.Purpose.PICTURE
    assert seen[0]["seconds"] <= dt.timedelta(seconds=10).total_seconds()
