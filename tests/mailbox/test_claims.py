"""Microsoft's claims challenge: one refresh with the claims that Graph asks for, then a reconnect."""

# ruff: noqa: F811
from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from mailbox import gateway, oauth
from mailbox.errors import Disconnected, Retry
from mailbox.models import Credential, Mailbox
from mailbox.providers import graph_errors
from mailbox.types import OutgoingEmail
from tests.mailbox.conftest import connected, write  # noqa: F401
from tests.mailbox.sandbox.conftest import Running

pytestmark = pytest.mark.django_db(transaction=True)
Write = Callable[..., OutgoingEmail]
CLAIMS = {"access_token": {"nbf": {"essential": True, "value": "1604106651"}}}


def spelled(claims: object, *, url: bool = False) -> str:
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    return encode(json.dumps(claims).encode()).decode()


@pytest.fixture
def mailbox(connected: Callable[..., Mailbox]) -> Mailbox:
    return connected("microsoft")


def statuses(providers: Running, op: str) -> list[int]:
    return [call["status"] for call in providers.get("calls", op=op)]


def test_it_refreshes_once_with_the_claims_and_goes_on(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    providers.post("challenge", email=str(mailbox.address))
    draft = gateway.prepare(mailbox, write(mailbox))
    assert draft.draft_id
    assert (statuses(providers, "draft"), statuses(providers, "token")) == ([401, 201], [200])
    row = Credential.objects.get()
    assert (row.claims, bool(row.access_token)) == (None, True)
    gateway.submit(mailbox, draft)
    assert statuses(providers, "token") == [200]


def test_it_sends_under_the_next_fence_after_a_challenged_submit(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    draft = gateway.prepare(mailbox, write(mailbox))
    providers.post("challenge", email=str(mailbox.address))
    with pytest.raises(Retry) as retry:
        gateway.submit(mailbox, draft)
    assert retry.value.reason == "token_refreshed"
    assert providers.get("ledger") == []
    gateway.submit(mailbox, draft)
    assert len(providers.get("ledger")) == 1


def test_it_needs_its_owner_where_the_claims_help_nothing(
    mailbox: Mailbox, write: Write, providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before this was carried: a plain refresh does not answer the challenge."""
    providers.post("challenge", email=str(mailbox.address))
    reject = oauth.reject
    monkeypatch.setattr(oauth, "reject", lambda row, refused, **_: reject(row, refused))
    with pytest.raises(Disconnected) as lost:
        gateway.prepare(mailbox, write(mailbox))
    assert lost.value.reason == "unauthorized"
    assert statuses(providers, "draft") == [401, 401]


def test_it_keeps_the_claims_until_a_refresh_has_used_them(mailbox: Mailbox, providers: Running) -> None:
    """The next refresh may be another worker's."""
    first = oauth.access(mailbox)
    oauth.reject(mailbox, first, claims=json.dumps(CLAIMS))
    assert json.loads(str(Credential.objects.get().claims)) == CLAIMS
    providers.post("faults", mailbox="*", op="token", kind="error_not_accepted")
    with pytest.raises(Retry):
        oauth.access(mailbox)
    assert Credential.objects.get().claims
    assert oauth.access(mailbox).token != first.token
    assert Credential.objects.get().claims is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f'Bearer realm="", error="insufficient_claims", claims="{spelled(CLAIMS)}"', CLAIMS),
        (f'Bearer claims="{spelled(CLAIMS).rstrip("=")}", realm=""', CLAIMS),
        (f'Bearer realm="", claims="{spelled({"a": "?~?~"}, url=True)}"', {"a": "?~?~"}),
        ('Bearer realm="", error="invalid_token"', None),
        ('Bearer claims="!!!"', None),
        (f'Bearer claims="{spelled([1])}"', None),
        (f'Bearer claims="{base64.b64encode(bytes([255, 254])).decode()}"', None),
        ("", None),
    ],
)
def test_it_reads_the_claims_of_a_challenge(header: str, found: object) -> None:
    body = json.dumps({"error": {"code": "InvalidAuthenticationToken", "message": "m"}}).encode()
    for name in ("WWW-Authenticate", "www-authenticate"):
        claims = graph_errors.problem_of(401, {name: header}, body).claims
        assert (json.loads(claims) if claims else None) == found
