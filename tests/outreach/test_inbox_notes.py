"""Notes: told to colleagues in a conversation, and never mailed."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts.models import User, Workspace
from accounts.viewpoint import looking_as
from mailbox.models import Mailbox, Replies
from outreach.inbox import acts, search
from outreach.models import Message, MessageKind, Note, Thread
from tests import factories
from tests.outreach.talks import at, place_in, talk

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(signed_in: Callable[[User], Client], member: User) -> Client:
    return signed_in(member)


@pytest.fixture
def mailbox(in_ws: Workspace) -> Mailbox:
    return factories.make_mailbox()


@pytest.fixture(autouse=True)
def _nobody_writes() -> None:
    cache.clear()


def test_it_keeps_a_note_among_the_mails_and_sends_it_to_nobody(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    row = talk(mailbox)
    form = {"note_id": str(uuid.uuid4()), "note": "Ask Jonas <b>first</b>"}
    for _ in range(2):
        assert me.post(at(in_ws, row, "note/"), form).status_code == 302
    note = Note.objects.get()
    assert (note.text, note.mailbox_id) == ("Ask Jonas <b>first</b>", mailbox.pk)
    body = me.get(at(in_ws, row)).content.decode()
    assert "Ask Jonas &lt;b&gt;first&lt;/b&gt;" in body
    assert "note to colleagues, never mailed" in body
    assert not Message.objects.filter(kind=MessageKind.ANSWER).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT encode(text, 'escape') FROM outreach_note")
        assert "Jonas" not in cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("text", "words"), [("  ", "The note is empty."), ("x" * 5001, "a note takes 5,000")]
)
def test_it_says_beside_the_field_what_is_wrong_with_a_note(
    text: str, words: str, me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    row = talk(mailbox)
    answer = me.post(at(in_ws, row, "note/"), {"note_id": str(uuid.uuid4()), "note": text})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert text.strip() in answer.content.decode()
    assert not Note.objects.exists()


def test_it_lets_the_author_or_an_admin_remove_a_note(
    signed_in: Callable[[User], Client],
    member: User,
    admin: User,
    owner: User,
    in_ws: Workspace,
    mailbox: Mailbox,
) -> None:
    row = talk(mailbox)
    note = acts.add_note(row, "Mine", note_id=uuid.uuid4(), actor=owner)
    url = f"/w/{in_ws.slug}/notes/{note.pk}/remove/"
    assert signed_in(member).post(url).status_code == 403
    assert signed_in(admin).post(url).status_code == 302
    assert not Note.objects.exists()


def test_it_deletes_notes_and_words_with_their_conversation(
    in_ws: Workspace, mailbox: Mailbox, member: User
) -> None:
    row = talk(mailbox)
    search.index_some()
    acts.add_note(row, "Mine", note_id=uuid.uuid4(), actor=member)
    Thread.objects.filter(pk=row.pk).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM outreach_note), (SELECT count(*) FROM outreach_threadwords)"
        )
        assert cursor.fetchone() == (0, 0)


def test_it_hides_the_notes_of_a_private_conversation(in_ws: Workspace, member: User, owner: User) -> None:
    row = talk(factories.make_mailbox(owner=member, replies=Replies.PRIVATE))
    acts.add_note(row, "Mine", note_id=uuid.uuid4(), actor=member)
    with looking_as(place_in(owner, in_ws)):
        assert not Note.objects.exists()


# --- two people ------------------------------------------------------------------------------------------
