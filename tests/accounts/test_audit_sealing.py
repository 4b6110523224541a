"""The chain in the database: sealed once and in order, walked each day, and a change of it is said (T34)."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable

import pytest
from django.core import mail
from django.db import close_old_connections, connection, connections

from accounts import audit
from accounts.activity import files, sealing
from accounts.activity.chain import genesis, link, read_anchors, verify
from accounts.encryption import seal as encrypted
from accounts.models import AuditAnchor, AuditEvent, AuditSeal, AuditText, User, Workspace
from accounts.tasks import wake_anchors, wake_sealer
from accounts.tenancy import workspace
from tests.roles import as_owner


def write(count: int) -> None:
    for number in range(count):
        audit.record("test.act", f"Act {number}")


def chain() -> list[bytes]:
    return [bytes(value) for value in AuditSeal.objects.order_by("seq").values_list("hash", flat=True)]


def behind_the_product(sql: str, *values: uuid.UUID) -> None:
    """As somebody who owns the server: no wall and no trigger holds."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values or None)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_it_chains_what_was_written_in_order_and_each_line_once(in_ws: Workspace) -> None:
    write(4)
    assert sealing.seal() == 5  # the workspace's making is the first line
    assert sealing.seal() == 0
    write(2)
    assert sealing.seal() == 2
    here, expected = genesis(str(in_ws.pk)), []
    for seq, event in enumerate(AuditEvent.objects.order_by("at", "id"), start=1):
        here = link(here, sealing.fields_of(event, seq))
        expected.append(here)
    assert chain() == expected
    assert len(expected) == 7


def test_it_keeps_a_chain_for_each_workspace(ws: Workspace, stranger: User) -> None:
    other = Workspace.objects.exclude(pk=ws.pk).get()
    for here in (ws, other):
        with workspace(here):
            write(3)
    wake_sealer()
    with workspace(ws):
        ours = chain()
    with workspace(other):
        assert len(chain()) == len(ours) == 4
        assert not set(chain()) & set(ours)


@pytest.mark.django_db(transaction=True)
def test_it_never_forks_the_chain_however_many_seal_at_once(ws: Workspace) -> None:
    with workspace(ws):
        write(60)
    start = threading.Barrier(6)
    problems: list[Exception] = []

    def work(number: int) -> None:
        try:
            start.wait(20)
            with workspace(ws):
                for _ in range(4):
                    if number % 2:
                        write(1)
                    sealing.seal()
        except Exception as problem:  # noqa: BLE001
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    close_old_connections()
    assert problems == []
    with workspace(ws):
        assert sealing.seal() == 0
        numbers = list(AuditSeal.objects.order_by("seq").values_list("seq", flat=True))
        assert numbers == list(range(1, 1 + 60 + 12 + 1))
        assert sealing.fault() == ""


def test_it_lets_keys_rotate_and_words_be_erased(in_ws: Workspace) -> None:
    write(3)
    sealing.seal()
    one, other = AuditText.objects.all()[:2]
    words, salt = one.sentence, one.salt
    AuditText.objects.filter(pk=one.pk).update(**encrypted(one, sentence=words, salt=salt))
    AuditText.objects.filter(pk=other.pk).update(**encrypted(other, sentence="", salt=""))
    assert sealing.fault() == ""
    assert AuditEvent.objects.get(pk=other.event_id).sentence == "The words of this line were erased."
    assert verify(b"".join(files.as_json_lines()).decode().splitlines()).erased == 1


CHANGES: dict[str, tuple[str, str]] = {
    "an act": ("UPDATE accounts_auditevent SET action = 'x' WHERE id = %s", "not as it was written"),
    "a time": ("UPDATE accounts_auditevent SET at = at - interval '1 hour' WHERE id = %s", "not as it was"),
    "a person": ("UPDATE accounts_auditevent SET actor_sid = 'US1' WHERE id = %s", "not as it was written"),
    "a seal": (
        "UPDATE accounts_auditseal SET hash = decode(repeat('ab', 32), 'hex') WHERE event_id = %s",
        "not as it was written",
    ),
    "a place": ("UPDATE accounts_auditseal SET seq = seq + 100 WHERE event_id = %s", "is missing"),
    "a line": ("DELETE FROM accounts_auditseal WHERE event_id = %s", "is missing"),
}


@pytest.mark.parametrize("what", sorted(CHANGES))
def test_it_finds_what_was_changed_behind_the_product(what: str, in_ws: Workspace) -> None:
    write(5)
    sealing.seal()
    assert sealing.fault() == ""
    sql, said = CHANGES[what]
    line = AuditEvent.objects.filter(action="test.act").order_by("at", "id")[2]
    behind_the_product(sql, line.pk)
    assert said in sealing.fault()


def test_it_finds_other_words_under_an_old_digest(in_ws: Workspace) -> None:
    write(3)
    sealing.seal()
    line = AuditText.objects.filter(event__action="test.act")[1]
    AuditText.objects.filter(pk=line.pk).update(**encrypted(line, sentence="Act of nobody"))
    assert "words of line" in sealing.fault()


def test_it_finds_lines_that_were_kept_out_of_the_chain(in_ws: Workspace) -> None:
    write(2)
    sealing.seal()
    write(3)
    AuditText.objects.update(sealed=True)
    assert sealing.seal() == 0
    assert sealing.fault() == "3 lines are outside the chain."


def test_it_finds_a_cut_tail_by_the_anchor_that_stands_here(in_ws: Workspace) -> None:
    write(5)
    assert sealing.anchor() is not None
    behind_the_product("DELETE FROM accounts_auditseal WHERE seq > 3")
    assert "ends at line 3, and had 6 before" in sealing.fault()


def test_it_keeps_one_head_a_day_and_none_where_nothing_is_new(
    in_ws: Workspace, later: Callable[..., None]
) -> None:
    write(2)
    first = sealing.anchor()
    assert first is not None
    assert (first.seq, first.fault, bytes(first.hash)) == (3, "", chain()[-1])
    write(1)
    assert sealing.anchor() is None
    later(days=1)
    second = sealing.anchor()
    assert second is not None
    assert (second.seq, second.day - first.day) == (4, dt.timedelta(days=1))
    later(days=1)
    assert sealing.anchor() is None
    assert AuditAnchor.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_it_mails_the_head_where_owners_want_it_and_it_verifies_the_export(
    ws: Workspace, owner: User
) -> None:
    Workspace.objects.filter(pk=ws.pk).update(mails_anchors=True)
    with workspace(ws):
        write(3)
    wake_anchors()
    assert [message.to for message in mail.outbox] == [[owner.email]]
    anchors = read_anchors(str(mail.outbox[0].body).splitlines())
    with workspace(ws):
        lines = b"".join(files.as_json_lines()).decode().splitlines()
    report = verify(lines, anchors)
    assert (report.is_whole, report.anchored) == (True, 4)
    wake_anchors()
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_it_tells_owners_of_a_fault_though_they_want_no_heads(ws: Workspace, owner: User) -> None:
    with workspace(ws):
        write(3)
        sealing.seal()
        line = AuditEvent.objects.filter(action="test.act").first()
        assert line is not None
        behind_the_product("UPDATE accounts_auditevent SET action = 'x' WHERE id = %s", line.pk)
    wake_anchors()
    assert [message.to for message in mail.outbox] == [[owner.email]]
    assert "was changed" in mail.outbox[0].subject
    with workspace(ws):
        assert "not as it was written" in AuditAnchor.objects.get().fault


def test_it_mails_no_head_that_nobody_asked_for(ws: Workspace, owner: User) -> None:
    with workspace(ws):
        write(1)
    wake_anchors()
    assert mail.outbox == []
