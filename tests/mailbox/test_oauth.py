"""Signing in at Google and Microsoft, through the pages a person sees; and the tokens behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership, User, Workspace
from accounts.tenancy import workspace
from mailbox import oauth
from mailbox.models import Credential, Mailbox, PendingConsent
from tests.mailbox.consenting import arrive, begin, connect, decide
from tests.mailbox.sandbox.conftest import Running

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
SignedIn = Callable[[User], Client]


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def nothing_is_stored(ws: Workspace) -> bool:
    with workspace(ws):
        return not Mailbox.objects.exists() and not Credential.objects.exists()


@BOTH
def test_it_says_before_consent_why_each_permission_is_asked(
    provider: str, ws: Workspace, owner: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(owner).get(f"/w/{ws.slug}/mailboxes/connect/"))
    assert "a draft can leave once" in page
    assert "Other mail is never fetched in full or stored" in page
    assert "https://policies.google.com/privacy" in page
    assert "https://www.microsoft.com/privacy/privacystatement" in page
    assert "/adminconsent?client_id=" in page


@BOTH
def test_it_connects_a_mailbox(
    provider: str, ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    client = signed_in(owner)
    page = connect(client, ws, provider, "mira@fernhill.example")
    assert "mira@fernhill.example is connected." in words(page)
    with workspace(ws):
        row = Mailbox.objects.get()
        assert (row.address, row.state, row.generation) == ("mira@fernhill.example", "connected", 1)
        assert row.owner == owner
        assert oauth.access(row).token
        left = PendingConsent.objects.get()
        assert (left.answer, left.flow, left.used_at is not None) == (None, "", True)


@BOTH
def test_it_asks_with_pkce_and_a_state_of_its_own(
    provider: str, ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    client = signed_in(owner)
    first, second = begin(client, ws, provider), begin(client, ws, provider)
    assert "code_challenge_method=S256" in first
    assert first.partition("state=")[2][:40] != second.partition("state=")[2][:40]


@BOTH
def test_it_stores_nothing_when_consent_is_refused(
    provider: str, ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    client = signed_in(owner)
    query = decide(begin(client, ws, provider), email="mira@fernhill.example", decision="deny")
    assert "You did not allow it" in words(arrive(client, provider, query))
    assert nothing_is_stored(ws)


@BOTH
def test_it_logs_a_refusal_in_one_line(
    provider: str,
    ws: Workspace,
    owner: User,
    signed_in: SignedIn,
    providers: Running,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What stands in the address comes from outside: it must not look like a line of ours."""
    client = signed_in(owner)
    query = decide(begin(client, ws, provider), email="mira@fernhill.example", decision="deny")
    query["error"] = "access_denied\n2026-01-01 ERROR forged " + "x" * 5000
    with caplog.at_level("INFO", logger="mailbox.views"):
        arrive(client, provider, query)
    (said,) = [record.getMessage() for record in caplog.records if record.name == "mailbox.views"]
    assert "access_denied" in said
    assert "\n" not in said
    assert len(said) < 250


@pytest.mark.parametrize(
    ("provider", "unticked", "named"),
    [
        ("google", "gmail.readonly", "Read our own threads"),
        ("google", "gmail.compose", "Write and send a draft"),
        ("microsoft", "Mail.Send", "Write and send a draft"),
        ("microsoft", "User.Read", "Know your address"),
        ("microsoft", "offline_access", "Keep access between visits"),
    ],
)
def test_it_names_a_permission_that_was_left_unticked(
    provider: str,
    unticked: str,
    named: str,
    ws: Workspace,
    owner: User,
    signed_in: SignedIn,
    providers: Running,
) -> None:
    client = signed_in(owner)
    query = decide(begin(client, ws, provider), email="mira@fernhill.example", without=(unticked,))
    page = words(arrive(client, provider, query))
    assert "gave us less than the mailbox needs" in page
    assert f'<td class="fw5">{named}</td>' in page
    assert nothing_is_stored(ws)


def test_it_hands_over_the_link_for_the_admin(
    ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    client = signed_in(owner)
    query = decide(begin(client, ws, "microsoft"), email="mira@fernhill.example", decision="admin")
    page = words(arrive(client, "microsoft", query))
    assert "lets only its admin approve apps" in page
    assert 'data-copy="#admin-link"' in page
    assert nothing_is_stored(ws)


def test_it_thanks_the_admin_without_connecting_anything(
    ws: Workspace, providers: Running, client: Client
) -> None:
    back = decide(oauth.admin_link(), email="boss@fernhill.example")
    assert "People connect their own mailboxes now" in words(arrive(client, "microsoft", back))
    assert nothing_is_stored(ws)


@BOTH
def test_it_refuses_a_state_that_was_used(
    provider: str, ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    """T5: replay."""
    client = signed_in(owner)
    query = decide(begin(client, ws, provider), email="mira@fernhill.example", decision="deny")
    arrive(client, provider, query)
    again = decide(begin(client, ws, provider), email="mira@fernhill.example")
    page = arrive(client, provider, {**again, "state": query["state"]})
    assert "This sign-in cannot be used" in words(page)
    assert nothing_is_stored(ws)


@BOTH
@pytest.mark.parametrize("change", [{"state": "made-up"}, {"state": ""}])
def test_it_refuses_a_foreign_state(
    provider: str,
    change: dict[str, str],
    ws: Workspace,
    owner: User,
    signed_in: SignedIn,
    providers: Running,
) -> None:
    client = signed_in(owner)
    query = decide(begin(client, ws, provider), email="mira@fernhill.example")
    page = arrive(client, provider, {**query, **change})
    assert page.status_code == 400
    assert "This sign-in cannot be used" in words(page)
    assert nothing_is_stored(ws)


@BOTH
def test_it_refuses_a_state_that_is_too_old(
    provider: str,
    ws: Workspace,
    owner: User,
    signed_in: SignedIn,
    providers: Running,
    later: Callable[..., None],
) -> None:
    client = signed_in(owner)
    query = decide(begin(client, ws, provider), email="mira@fernhill.example")
    later(seconds=oauth.CONSENT_SECONDS + 1)
    assert "It is older than 10 minutes" in words(arrive(client, provider, query))
    assert nothing_is_stored(ws)


@BOTH
@pytest.mark.parametrize("who", ["signed out", "a second browser", "another member"])
def test_it_refuses_to_finish_for_anybody_else(
    provider: str,
    who: str,
    ws: Workspace,
    owner: User,
    member: User,
    signed_in: SignedIn,
    providers: Running,
) -> None:
    """T6, T7: the same browser session and the same person, or nothing."""
    query = decide(begin(signed_in(owner), ws, provider), email="mira@fernhill.example")
    other = {"signed out": Client, "a second browser": lambda: signed_in(owner)}.get(
        who, lambda: signed_in(member)
    )()
    page = arrive(other, provider, query)
    assert page.status_code == 400
    assert "This sign-in cannot be used" in words(page)
    assert nothing_is_stored(ws)


def test_it_refuses_somebody_who_signed_in_over_the_session(
    ws: Workspace, owner: User, member: User, signed_in: SignedIn, providers: Running
) -> None:
    client = signed_in(owner)
    query = decide(begin(client, ws, "google"), email="mira@fernhill.example")
    client.force_login(member, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "This sign-in cannot be used" in words(arrive(client, "google", query))
    assert nothing_is_stored(ws)


@pytest.mark.parametrize(("began", "came"), [("google", "microsoft"), ("microsoft", "google")])
def test_it_refuses_a_code_of_one_provider_on_the_others_path(
    began: str, came: str, ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    """T8."""
    client = signed_in(owner)
    query = decide(begin(client, ws, began), email="mira@fernhill.example")
    assert "This sign-in cannot be used" in words(arrive(client, came, query))
    assert nothing_is_stored(ws)


def test_it_refuses_an_answer_that_names_another_issuer(
    ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    """RFC 9207."""
    client = signed_in(owner)
    query = decide(begin(client, ws, "google"), email="mira@fernhill.example")
    page = arrive(client, "google", {**query, "iss": "https://evil.example"})
    assert "This sign-in cannot be used" in words(page)
    assert nothing_is_stored(ws)


@BOTH
def test_it_refuses_a_code_that_is_not_its_own(
    provider: str, ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    """A code of another sign-in carries another PKCE challenge."""
    client = signed_in(owner)
    foreign = decide(begin(client, ws, provider), email="eve@evil.example")
    query = decide(begin(client, ws, provider), email="mira@fernhill.example")
    page = arrive(client, provider, {**query, "code": foreign["code"]})
    assert "This sign-in cannot be used" in words(page)
    assert nothing_is_stored(ws)


@BOTH
def test_it_refuses_a_viewer(
    provider: str, ws: Workspace, viewer: User, signed_in: SignedIn, providers: Running
) -> None:
    assert signed_in(viewer).post(f"/w/{ws.slug}/mailboxes/connect/{provider}/").status_code == 403


def test_it_refuses_somebody_who_left_meanwhile(
    ws: Workspace, member: User, signed_in: SignedIn, providers: Running
) -> None:
    client = signed_in(member)
    query = decide(begin(client, ws, "google"), email="mira@fernhill.example")
    with workspace(ws):
        Membership.objects.filter(user=member).delete()
    assert arrive(client, "google", query).status_code == 400
    assert nothing_is_stored(ws)


def test_it_says_so_when_the_provider_gives_no_answer(
    ws: Workspace, owner: User, signed_in: SignedIn, settings: Any
) -> None:
    settings.MS_AUTHORITY = "https://localhost:1/common"
    page = signed_in(owner).post(f"/w/{ws.slug}/mailboxes/connect/microsoft/", follow=True)
    assert "Microsoft gave no usable answer" in words(page)
    assert nothing_is_stored(ws)
