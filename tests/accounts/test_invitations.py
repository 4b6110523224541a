"""Invitations: for one address, once, for a week (issue 3 point 2; threats T1, T4, T41)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connections
from django.test import Client
from django.urls import reverse

from accounts import clock, tenancy
from accounts.models import Membership, Role, User, Workspace
from tests.accounts.inviting import GUEST, SignedIn, act, is_in, link, row

pytestmark = pytest.mark.django_db


def test_it_is_mailed_and_accepted(
    ws: Workspace, guest: User, signed_in: SignedIn, invited: Callable[..., str]
) -> None:
    path = invited(role="viewer")
    assert mail.outbox[-1].to == [GUEST]
    client = signed_in(guest)
    page = client.get(path)
    assert "Join Studio" in page.text
    assert not is_in(ws, guest)
    assert client.post(path).headers["Location"] == f"/w/{ws.slug}/"
    assert Membership.objects.get(workspace=ws, user=guest).role == Role.VIEWER


def test_it_keeps_no_token(ws: Workspace, invited: Callable[..., str]) -> None:
    token = invited().rstrip("/").rpartition("/")[2]
    assert len(token) == 43
    assert token.encode() not in bytes(row(ws).token_hash)
    assert len(bytes(row(ws).token_hash)) == 32


def test_it_is_used_once(
    ws: Workspace, guest: User, signed_in: SignedIn, invited: Callable[..., str]
) -> None:
    path = invited()
    client = signed_in(guest)
    client.post(path)
    Membership.objects.filter(user=guest, workspace=ws).update(role=Role.VIEWER)
    assert client.post(path).status_code == 404
    assert client.get(path).status_code == 404
    assert Membership.objects.get(user=guest, workspace=ws).role == Role.VIEWER


def test_it_ends_after_a_week(
    ws: Workspace, guest: User, signed_in: SignedIn, invited: Callable[..., str], later: Callable[..., None]
) -> None:
    path = invited()
    later(days=7, seconds=1)
    assert signed_in(guest).post(path).status_code == 404
    assert not is_in(ws, guest)


def test_it_can_be_sent_anew_after_a_week(
    ws: Workspace, invited: Callable[..., str], later: Callable[..., None]
) -> None:
    first = invited()
    later(days=8)
    assert invited() != first


def test_it_is_dead_once_withdrawn(
    ws: Workspace, guest: User, admin: User, signed_in: SignedIn, invited: Callable[..., str]
) -> None:
    path = invited()
    assert signed_in(admin).post(act("invitation_withdraw", ws)).status_code == 302
    assert signed_in(guest).post(path).status_code == 404
    assert not is_in(ws, guest)


def test_it_kills_the_old_link_when_sent_again(
    ws: Workspace,
    guest: User,
    admin: User,
    signed_in: SignedIn,
    proved: SignedIn,
    invited: Callable[..., str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    old = invited()
    with django_capture_on_commit_callbacks(execute=True):
        proved(admin).post(act("invitation_resend", ws))
    new = link()
    client = signed_in(guest)
    assert new != old
    assert client.post(old).status_code == 404
    assert not is_in(ws, guest)
    client.post(new)
    assert is_in(ws, guest)


def test_it_is_for_one_address_alone(
    ws: Workspace, stranger: User, signed_in: SignedIn, invited: Callable[..., str]
) -> None:
    path = invited()
    client = signed_in(stranger)
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 403
        assert "Another account is needed" in answer.text
        assert GUEST not in answer.text
        assert "Studio" not in answer.text
    assert not is_in(ws, stranger)


def test_it_wants_the_address_verified(
    ws: Workspace, guest: User, stranger: User, signed_in: SignedIn, invited: Callable[..., str]
) -> None:
    path = invited()
    EmailAddress.objects.filter(user=guest).update(verified=False)
    assert signed_in(guest).post(path).status_code == 403
    # Nor is it enough to name somebody else's address as one's own.
    EmailAddress.objects.create(user=stranger, email=GUEST.upper(), verified=False)
    assert signed_in(stranger).post(path).status_code == 403
    EmailAddress.objects.filter(user=stranger, email=GUEST.upper()).update(verified=True)
    assert signed_in(stranger).post(path).status_code == 302


def test_it_opens_no_other_workspace(
    ws: Workspace, guest: User, stranger: User, signed_in: SignedIn, invited: Callable[..., str]
) -> None:
    path = invited()
    theirs = Membership.objects.get(user=stranger).workspace
    assert signed_in(guest).post(path.replace(ws.sid, theirs.sid)).status_code == 404
    assert not is_in(theirs, guest)
    assert not is_in(ws, guest)


@pytest.mark.parametrize("path", ["/join/WSnothing/x/", "/join/{sid}/x/"])
def test_it_answers_every_bad_link_alike(path: str, ws: Workspace, client: Client) -> None:
    answer = client.get(path.format(sid=ws.sid))
    assert answer.status_code == 404
    assert "There is no open invitation here" in answer.text
    assert "Studio" not in answer.text


@pytest.mark.parametrize("path", ["/join/a%00b/x/", "/join/{sid}/%00/", "/join/{sid}/é/", "/join/{sid}//"])
def test_it_has_no_address_for_nonsense(path: str, ws: Workspace, client: Client) -> None:
    assert client.get(path.format(sid=ws.sid)).status_code == 404


@pytest.mark.parametrize("fall", ["lowered", "removed", "switched off"])
def test_it_is_worth_what_its_inviter_is_worth(
    fall: str, ws: Workspace, admin: User, guest: User, signed_in: SignedIn, invited: Callable[..., str]
) -> None:
    path = invited()
    with tenancy.workspace(ws):
        match fall:
            case "lowered":
                Membership.objects.filter(user=admin).update(role=Role.MEMBER)
            case "removed":
                Membership.objects.get(user=admin).delete()
            case _:
                User.objects.filter(pk=admin.pk).update(is_active=False)
    assert signed_in(guest).post(path).status_code == 404
    assert not is_in(ws, guest)


def test_it_leads_the_signed_out_through_the_sign_in_and_back(
    ws: Workspace, guest: User, client: Client, invited: Callable[..., str]
) -> None:
    path = invited()
    page = client.get(path)
    assert page.status_code == 200
    assert GUEST not in page.text
    assert not is_in(ws, guest)
    assert client.post(path).status_code == 200
    assert not is_in(ws, guest)
    sign_in = client.get(page.context["sign_in"])
    assert f'value="{GUEST}"' in sign_in.text
    sign_up = client.get(page.context["sign_up"])
    assert f'value="{GUEST}"' in sign_up.text
    answer = client.post(
        page.context["sign_in"], {"login": GUEST, "password": "correct-horse-battery", "next": path}
    )
    assert answer.headers["Location"] == path
    assert client.post(path).headers["Location"] == f"/w/{ws.slug}/"
    assert is_in(ws, guest)


def test_it_leads_somebody_new_through_the_sign_up_and_back(
    ws: Workspace, client: Client, invited: Callable[..., str], django_capture_on_commit_callbacks: Any
) -> None:
    path = invited()
    page = client.get(path)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(
            page.context["sign_up"],
            {"name": "Gesa Guest", "email": GUEST, "password1": "correct-horse-battery", "next": path},
        )
    found = re.search(r"(/accounts/confirm-email/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    answer = client.post(found[1], follow=True)
    assert answer.request["PATH_INFO"] == path
    client.post(path)
    assert is_in(ws, User.objects.get(email=GUEST))


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_it_lets_one_of_two_presses_in(
    ws: Workspace, admin: User, guest: User, proved: SignedIn, signed_in: SignedIn
) -> None:
    proved(admin).post(
        reverse("invitation_new", kwargs={"slug": ws.slug}), {"email": GUEST, "role": "member"}
    )
    path = link()
    clients = [signed_in(guest), signed_in(guest)]
    gate, codes = threading.Barrier(2), []

    def go(client: Client) -> None:
        gate.wait()
        codes.append(client.post(path).status_code)
        connections.close_all()

    both = [threading.Thread(target=go, args=(client,)) for client in clients]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(codes) == [302, 404]
    assert Membership.objects.filter(workspace=ws, user=guest).count() == 1


def test_it_is_not_open_in_a_suspended_workspace(
    ws: Workspace, guest: User, signed_in: SignedIn, invited: Callable[..., str]
) -> None:
    path = invited()
    Workspace.objects.filter(pk=ws.pk).update(suspended_at=clock.now())
    assert signed_in(guest).post(path).status_code == 404
    assert not is_in(ws, guest)
