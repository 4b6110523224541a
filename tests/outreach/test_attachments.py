"""Files of an answer: hung on, kept where something is wrong, sent once, and had back as a download only."""

from __future__ import annotations

import datetime as dt
import email
import uuid
from collections.abc import Callable
from email.policy import default
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.test import Client
from django.urls import reverse

from accounts.models import User, Workspace
from mailbox import gateway
from mailbox.limited_use import Purpose
from mailbox.models import Mailbox
from outreach import attachments
from outreach.models import Attachment, Message, MessageKind, MessageState, Thread
from tests.factories import make_answer, make_attachment, make_message
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import send_now
from tests.outreach.receiving import Sent, inbound, poll_until

SignIn = Callable[[User], Client]
PDF = b"%PDF-1.7 \x00\xff\r\n.\r\n"


def upload(
    name: str = "Price list.pdf", content: bytes = PDF, kind: str = "application/pdf"
) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type=kind)


@pytest.fixture
def thread(in_ws: Workspace) -> Thread:
    row = make_message(state=MessageState.SENT).thread
    assert row is not None
    return row


@pytest.fixture
def post(thread: Thread, ws: Workspace, owner: User, signed_in: SignIn) -> Callable[..., Any]:
    """`post("thread_attach", {...})` as the owner, from the page itself."""
    client = signed_in(owner)

    def send(name: str, data: dict[str, Any], pk: uuid.UUID | None = None, **headers: str) -> Any:
        url = reverse(f"outreach:{name}", kwargs={"slug": ws.slug, "pk": pk or thread.pk})
        return client.post(url, data, headers={"HX-Request": "true", **headers})

    return send


def test_it_hangs_files_on_an_answer(post: Callable[..., Any], thread: Thread) -> None:
    compose = str(uuid.uuid4())
    answer = post(
        "thread_attach", {"compose_id": compose, "file": [upload(), upload("b.txt", b"b", "text/plain")]}
    )
    assert answer.status_code == 200
    assert "Price list.pdf" in answer.content.decode()
    rows = list(Attachment.objects.order_by("pk"))
    assert [(row.name, row.content_type, row.size, row.content) for row in rows] == [
        ("Price list.pdf", "application/pdf", len(PDF), PDF),
        ("b.txt", "text/plain", 1, b"b"),
    ]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (upload("setup.exe"), "refuse files of this kind"),
        (upload("setup.pdf.EXE"), "refuse files of this kind"),
        (upload("empty.pdf", b""), "is empty"),
        (upload("big.pdf", b"x" * (attachments.MOST_BYTES + 1)), "10 MB in all"),
    ],
    ids=["exe", "EXE", "empty", "big"],
)
def test_it_says_which_file_it_does_not_take(
    post: Callable[..., Any], file: SimpleUploadedFile, words: str
) -> None:
    answer = post("thread_attach", {"compose_id": str(uuid.uuid4()), "file": [upload(), file]})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "Price list.pdf" in answer.content.decode()
    assert Attachment.objects.count() == 1


def test_it_takes_ten_megabytes_in_all_and_ten_files(post: Callable[..., Any]) -> None:
    compose = str(uuid.uuid4())
    post(
        "thread_attach",
        {"compose_id": compose, "file": [upload(content=b"x" * (attachments.MOST_BYTES - 5))]},
    )
    assert (
        post("thread_attach", {"compose_id": compose, "file": [upload(content=b"123456")]}).status_code == 422
    )
    assert (
        post("thread_attach", {"compose_id": compose, "file": [upload(content=b"12345")]}).status_code == 200
    )
    other = str(uuid.uuid4())
    for _ in range(attachments.MOST_FILES):
        assert post("thread_attach", {"compose_id": other, "file": [upload(content=b"1")]}).status_code == 200
    answer = post("thread_attach", {"compose_id": other, "file": [upload(content=b"1")]})
    assert "takes 10 files" in answer.content.decode()


def test_it_takes_a_file_off(post: Callable[..., Any]) -> None:
    post("thread_attach", {"compose_id": str(uuid.uuid4()), "file": [upload()]})
    answer = post("attachment_remove", {}, Attachment.objects.get().pk)
    assert answer.status_code == 200
    assert not Attachment.objects.exists()


def test_nobody_else_sees_or_sends_a_file_that_waits(
    post: Callable[..., Any], thread: Thread, ws: Workspace, member: User, signed_in: SignIn
) -> None:
    compose = str(uuid.uuid4())
    post("thread_attach", {"compose_id": compose, "file": [upload()]})
    row = Attachment.objects.get()
    other = signed_in(member)
    here = {"slug": ws.slug, "pk": row.pk}
    assert other.get(reverse("outreach:attachment", kwargs=here)).status_code == 404
    other.post(reverse("outreach:attachment_remove", kwargs=here))
    url = reverse("outreach:thread_answer", kwargs={"slug": ws.slug, "pk": thread.pk})
    other.post(url, {"compose_id": compose, "text": "Here you are."})
    row.refresh_from_db()
    assert row.message is None


def test_it_keeps_the_files_where_the_answer_cannot_go(post: Callable[..., Any]) -> None:
    compose = str(uuid.uuid4())
    answer = post("thread_answer", {"compose_id": compose, "text": "", "file": [upload()]})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Price list.pdf" in page
    assert compose in page
    post("thread_answer", {"compose_id": compose, "text": "Here you are."})
    assert Attachment.objects.get().message == Message.objects.get(kind=MessageKind.ANSWER)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_sends_them_with_the_answer(
    sent: Sent, providers: Running, ws: Workspace, owner: User, signed_in: SignIn, provider: str
) -> None:
    first = sent(provider)
    inbound(providers, first)
    poll_until(providers)
    client, compose = signed_in(owner), str(uuid.uuid4())
    assert first.thread is not None
    here = {"slug": ws.slug, "pk": first.thread.pk}
    client.post(reverse("outreach:thread_attach", kwargs=here), {"compose_id": compose, "file": [upload()]})
    client.post(
        reverse("outreach:thread_answer", kwargs=here), {"compose_id": compose, "text": "Here is the list."}
    )
    row = Message.objects.get(kind=MessageKind.ANSWER)
    send_now(row)
    row.refresh_from_db()
    assert row.state == MessageState.SENT
    box = Mailbox.objects.get()
    raw = gateway.fetch(box, str(row.provider_id), purpose=Purpose.OUR_OWN_DRAFT).raw
    (file,) = email.message_from_bytes(raw, policy=default).iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("Price list.pdf", "application/pdf")
    assert file.get_payload(decode=True) == PDF
    page = client.get(reverse("outreach:thread", kwargs=here)).content.decode()
    assert "Price list.pdf" in page


def test_it_gives_a_file_back_as_a_download_only(
    thread: Thread, ws: Workspace, viewer: User, signed_in: SignIn
) -> None:
    """T18: whatever it says it is, no browser shows it as a page of ours."""
    message = thread.messages.get()
    row = make_attachment(
        make_answer(message), name="page.html", content_type="text/html", content=b"<script>1</script>"
    )
    answer = signed_in(viewer).get(reverse("outreach:attachment", kwargs={"slug": ws.slug, "pk": row.pk}))
    assert answer.content == b"<script>1</script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_it_forgets_files_whose_answer_never_came(post: Callable[..., Any], thread: Thread) -> None:
    post("thread_attach", {"compose_id": str(uuid.uuid4()), "file": [upload()]})
    kept = make_attachment(make_answer(thread.messages.get()))
    assert attachments.forget_left() == 0
    Attachment.objects.update(created_at=F("created_at") - attachments.KEPT - dt.timedelta(minutes=1))
    assert attachments.forget_left() == 1
    assert Attachment.objects.get() == kept


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "etc passwd"),
        ("C:\\Users\\me\\list.pdf", "C: Users me list.pdf"),
        ("list\r\nBcc: a@b.example.pdf", "list Bcc: a@b.example.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("", "file"),
        (".pdf", "pdf"),
        ("Grüße “Zoë”.txt", "Grüße “Zoë”.txt"),
    ],
)
def test_it_gives_a_file_a_plain_name(name: str, clean: str) -> None:
    assert attachments.clean_name(name) == clean
