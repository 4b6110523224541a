"""Keys: minted and shown once, stored as a hash, limited by scope, time and place, rotated, revoked."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from accounts import keys
from accounts.keys import Scope
from accounts.models import ApiKey, AuditEvent, KeyKind, KeyPlace, Membership, Role, User, Workspace
from accounts.signals import member_left
from accounts.tenancy import uuid7, workspace
from tests.api.keys import basic, bearer, make_key, owner_of, with_key

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]
ME = "/api/v1/me"


def status(secret: str, **values: Any) -> int:
    return with_key(secret).get(ME, **values).status_code


def test_it_mints_secrets_that_a_scanner_knows_by_their_form(ws: Workspace) -> None:
    secrets = {make_key(ws).secret for _ in range(20)}
    assert len(secrets) == 20
    assert all(re.fullmatch(r"out_key_[A-Za-z0-9_-]{43}[0-9a-f]{8}", secret) for secret in secrets)
    assert all(keys.well_formed(secret) for secret in secrets)


def test_it_tells_a_typo_without_asking_the_database(
    ws: Workspace, django_assert_num_queries: Callable[[int], Any]
) -> None:
    secret = make_key(ws).secret
    wrong = secret[:20] + ("A" if secret[20] != "A" else "B") + secret[21:]
    with django_assert_num_queries(0):
        assert keys.place_of(wrong) is None


def test_it_keeps_no_usable_secret(ws: Workspace) -> None:
    """T31: whoever reads the database, or a backup of it, has no key."""
    minted = make_key(ws)
    random = minted.secret[len("out_key_") + 6 :]
    with workspace(ws), connection.cursor() as cursor:
        for table in ("accounts_apikey", "accounts_keyplace", "accounts_apirequest", "accounts_auditevent"):
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608
            rows = "\n".join(row[0] for row in cursor.fetchall())
            assert random not in rows
            assert minted.secret.encode().hex() not in rows
        assert bytes(ApiKey.objects.get(pk=minted.key.pk).digest) == keys.digest_of(minted.secret)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer out_key_" + "A" * 51,
        "Basic",
        "Basic !!!",
        "Basic " + "A" * 5000,
        "Digest abc",
        "Bearer \u00e9",
    ],
)
def test_it_asks_whoever_has_no_key_for_one(header: str, ws: Workspace) -> None:
    answer = Client().get(ME, headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="Outreach"'
    assert answer["Content-Type"] == "application/problem+json"


def test_it_takes_sid_and_token_like_user_name_and_password(ws: Workspace, owner: User) -> None:
    """Promise 19."""
    with workspace(ws):
        token = keys.mint_token(actor=owner, pk=uuid7()).secret
    key = make_key(ws).secret
    client = Client()
    for secret in (token, key):
        assert client.get(ME, headers=basic(ws.sid, secret)).status_code == 200
        assert client.get(ME, headers=bearer(secret)).status_code == 200
    # A person's own SID goes with the keys that they made; the token is nobody's.
    assert client.get(ME, headers=basic(owner.sid, key)).status_code == 200
    assert client.get(ME, headers=basic(owner.sid, token)).status_code == 401


def test_it_refuses_another_workspaces_sid(ws: Workspace, stranger: User) -> None:
    theirs = Membership.objects.get(user=stranger).workspace
    secret = make_key(ws).secret
    assert Client().get(ME, headers=basic(theirs.sid, secret)).status_code == 401
    assert Client().get(ME, headers=basic(stranger.sid, secret)).status_code == 401
    assert Client().get(ME, headers=basic("", secret)).status_code == 401


def test_it_says_the_same_of_every_credential_that_does_not_work(
    ws: Workspace, owner: User, later: Callable[..., None], person: Callable[..., User]
) -> None:
    """T31, T41: a thief does not learn whether a key was ever one."""
    admin = person("another@studio.example")
    place = Membership.objects.create(workspace=ws, user=admin, role=Role.ADMIN)
    expired = make_key(ws, expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    elsewhere = make_key(ws, networks=["203.0.113.0/24"])
    revoked, orphan = make_key(ws), make_key(ws, actor=admin)
    assert status(expired.secret) == status(revoked.secret) == status(orphan.secret) == 200
    with workspace(ws):
        keys.revoke(revoked.key, actor=owner)
    Membership.objects.filter(pk=place.pk).update(role=Role.MEMBER)
    later(hours=2)
    never = keys.new_secret(KeyKind.KEY)
    answers = [
        with_key(secret).get(ME)
        for secret in (never, expired.secret, elsewhere.secret, revoked.secret, orphan.secret)
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    ("networks", "address", "expected"),
    [
        (["203.0.113.0/24"], "203.0.113.9", 200),
        (["203.0.113.0/24"], "203.0.114.9", 401),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", 200),
        (["2001:db8::/32", "198.51.100.7/32"], "2001:db8::1", 200),
        (["2001:db8::/32", "198.51.100.7/32"], "198.51.100.7", 200),
        (["2001:db8::/32", "198.51.100.7/32"], "198.51.100.8", 401),
    ],
)
def test_it_works_from_the_named_networks_only(
    networks: list[str], address: str, expected: int, ws: Workspace
) -> None:
    secret = make_key(ws, networks=networks).secret
    assert status(secret, REMOTE_ADDR=address) == expected


def test_it_notes_the_last_use_at_most_once_a_minute(ws: Workspace, later: Callable[..., None]) -> None:
    minted = make_key(ws)

    def used() -> tuple[Any, str]:
        with workspace(ws):
            row = ApiKey.objects.get(pk=minted.key.pk)
        return row.last_used_at, row.last_used_from

    assert used() == (None, "")
    status(minted.secret, REMOTE_ADDR="203.0.113.9")
    first = used()
    assert first[1] == "203.0.113.9"
    later(seconds=30)
    status(minted.secret, REMOTE_ADDR="203.0.113.10")
    assert used() == first
    later(seconds=31)
    status(minted.secret, REMOTE_ADDR="203.0.113.10")
    assert used()[1] == "203.0.113.10"
    assert used()[0] > first[0]


def test_it_rotates_with_an_overlap(ws: Workspace, owner: User, later: Callable[..., None]) -> None:
    old = make_key(ws, [Scope.READ], networks=["127.0.0.0/8"])
    with workspace(ws):
        new = keys.rotate(old.key, actor=owner, pk=uuid7())
    assert (new.key.scopes, new.key.networks, new.key.name) == (["read"], ["127.0.0.0/8"], "Test")
    assert [status(old.secret), status(new.secret)] == [200, 200]
    later(hours=23, minutes=59)
    assert [status(old.secret), status(new.secret)] == [200, 200]
    later(minutes=2)
    assert [status(old.secret), status(new.secret)] == [401, 200]


def test_it_does_not_lengthen_a_life_by_rotation(ws: Workspace, owner: User) -> None:
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    old = make_key(ws, expires_at=ends)
    with workspace(ws):
        new = keys.rotate(old.key, actor=owner, pk=uuid7())
        assert new.key.expires_at == ends
        assert ApiKey.objects.get(pk=old.key.pk).expires_at == ends


def test_it_rotates_a_key_once(ws: Workspace, owner: User) -> None:
    old = make_key(ws)
    with workspace(ws):
        keys.rotate(old.key, actor=owner, pk=uuid7())
        with pytest.raises(keys.KeyGone):
            keys.rotate(old.key, actor=owner, pk=uuid7())
        revoked = make_key(ws)
        keys.revoke(revoked.key, actor=owner)
        with pytest.raises(keys.KeyGone):
            keys.rotate(revoked.key, actor=owner, pk=uuid7())


def test_it_revokes_at_once(ws: Workspace, owner: User) -> None:
    minted = make_key(ws)
    assert status(minted.secret) == 200
    with workspace(ws):
        assert keys.revoke(minted.key, actor=owner)
        assert not keys.revoke(minted.key, actor=owner)
    assert status(minted.secret) == 401


def test_it_has_one_current_token(ws: Workspace, owner: User) -> None:
    with workspace(ws):
        first = keys.mint_token(actor=owner, pk=uuid7())
        with pytest.raises(keys.AlreadyMinted):
            keys.mint_token(actor=owner, pk=uuid7())
        second = keys.rotate(first.key, actor=owner, pk=uuid7())
        current = keys.current_token()
        assert current is not None
        assert current.pk == second.key.pk
    assert [status(first.secret), status(second.secret)] == [200, 200]
    assert second.secret.startswith("out_tok_")


def test_it_tells_the_owners_and_the_log(
    ws: Workspace, owner: User, admin: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        minted = make_key(ws, actor=admin, name="CRM import")
    assert [message.to for message in mail.outbox] == [[owner.email]]
    assert "CRM import" in mail.outbox[0].body
    assert minted.key.prefix in mail.outbox[0].body
    assert minted.secret not in mail.outbox[0].body
    with workspace(ws):
        assert AuditEvent.objects.filter(action="key.made", object_id=str(minted.key.pk)).count() == 1


def test_it_ends_the_keys_of_whoever_leaves(ws: Workspace, admin: User) -> None:
    mine, theirs = make_key(ws), make_key(ws, actor=admin)
    with workspace(ws):
        place = Membership.objects.get(user=admin, workspace=ws)
        place.delete()
        member_left.send(sender=Membership, workspace=ws, user=admin)
    # Coming back does not bring the keys back.
    Membership.objects.create(user=admin, workspace=ws, role=Role.ADMIN)
    assert [status(mine.secret), status(theirs.secret)] == [200, 401]


def test_it_knows_each_hash_once(ws: Workspace, stranger: User) -> None:
    theirs = Membership.objects.get(user=stranger).workspace
    mine, other = make_key(ws), make_key(theirs)
    places = {bytes(row.digest): row.workspace_id for row in KeyPlace.objects.all()}
    assert places[keys.digest_of(mine.secret)] == ws.pk
    assert places[keys.digest_of(other.secret)] == theirs.pk
    assert owner_of(theirs) == stranger
