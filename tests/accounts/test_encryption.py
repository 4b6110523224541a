"""Ciphertext in the database, bound to its place, under a key of the workspace's own (T11)."""

from __future__ import annotations

import base64

import pytest
from django.core.exceptions import FieldError
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from accounts import audit
from accounts.encryption import (
    Sealed,
    Unreadable,
    blind_index,
    decrypt,
    encrypt,
    forget_keys,
    seal,
)
from accounts.keyring.keystore import KEYSTORE, WorkspaceKey
from accounts.models import AuditText, Workspace


def stored(event: AuditText) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sentence FROM accounts_audittext WHERE id = %s", [event.pk])
        return bytes(cursor.fetchone()[0])


def line(sentence: str) -> AuditText:
    return audit.record("test", sentence).text


def test_it_stores_ciphertext_and_reads_the_text_back(in_ws: Workspace) -> None:
    event = line("Zürich wrote to Ana")
    assert b"Ana" not in stored(event)
    assert AuditText.objects.get(pk=event.pk).sentence == "Zürich wrote to Ana"


def test_it_never_gives_the_same_ciphertext_twice(in_ws: Workspace) -> None:
    assert stored(line("same")) != stored(line("same"))


def test_it_refuses_a_ciphertext_that_was_moved_to_another_row(in_ws: Workspace) -> None:
    first, second = line("first"), line("second")
    AuditText.objects.filter(pk=second.pk).update(sentence=Sealed(stored(first)))
    with pytest.raises(Unreadable):
        _ = AuditText.objects.get(pk=second.pk).sentence


def test_it_refuses_a_ciphertext_of_another_workspace_column_or_one_that_was_changed(
    ws: Workspace, stranger: object
) -> None:
    elsewhere = Workspace.objects.exclude(pk=ws.pk).get()
    blob = encrypt(ws.pk, "table|column|1", b"secret")
    assert decrypt(ws.pk, "table|column|1", blob) == b"secret"
    for workspace_id, where, value in [
        (elsewhere.pk, "table|column|1", blob),
        (ws.pk, "table|other|1", blob),
        (ws.pk, "table|column|1", blob[:-1] + bytes([blob[-1] ^ 1])),
        (ws.pk, "table|column|1", b"secret"),
    ]:
        with pytest.raises(Unreadable):
            decrypt(workspace_id, where, value)


def test_it_refuses_to_write_or_filter_plain_text(in_ws: Workspace) -> None:
    event = line("first")
    with pytest.raises(FieldError), transaction.atomic():
        AuditText.objects.filter(pk=event.pk).update(sentence="plain")
    with pytest.raises(FieldError):
        AuditText.objects.filter(sentence="first")
    AuditText.objects.filter(pk=event.pk).update(**seal(event, sentence="second"))
    assert AuditText.objects.get(pk=event.pk).sentence == "second"


def test_it_looks_up_by_a_blind_index_that_differs_between_workspaces(
    ws: Workspace, stranger: object
) -> None:
    elsewhere = Workspace.objects.exclude(pk=ws.pk).get()
    assert blind_index(ws.pk, "address", "a@b.example") == blind_index(ws.pk, "address", "a@b.example")
    assert blind_index(ws.pk, "address", "a@b.example") != blind_index(elsewhere.pk, "address", "a@b.example")
    assert blind_index(ws.pk, "address", "x") != blind_index(ws.pk, "thread", "x")


def test_it_keeps_wrapped_keys_in_a_database_of_their_own(in_ws: Workspace) -> None:
    line("first")
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('accounts_workspacekey')")
        assert cursor.fetchone()[0] is None
    assert WorkspaceKey.objects.using(KEYSTORE).filter(workspace_id=in_ws.pk, purpose="data").count() == 1


def test_it_still_reads_after_a_new_wrapping_key_and_not_without_the_old_one(
    in_ws: Workspace, settings: Settings
) -> None:
    event = line("kept")
    old = settings.KEYS
    new = "new:" + base64.b64encode(b"n" * 32).decode()
    settings.KEYS = [new, *old]
    forget_keys()
    assert AuditText.objects.get(pk=event.pk).sentence == "kept"
    settings.KEYS = [new]
    forget_keys()
    with pytest.raises(Unreadable):
        _ = AuditText.objects.get(pk=event.pk).sentence
