"""Sending an invitation: who may, to whom, how often, and what it names (threats T1, T4, T41)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from accounts import tenancy
from accounts.membership import invitations
from accounts.models import Invitation, Membership, User, Workspace
from tests import factories
from tests.accounts.inviting import GUEST, SignedIn, act, row
from tests.proofs import prove

pytestmark = pytest.mark.django_db


def test_it_invites_nobody_as_owner(ws: Workspace, owner: User, proved: SignedIn) -> None:
    answer = proved(owner).post(
        reverse("invitation_new", kwargs={"slug": ws.slug}), {"email": GUEST, "role": "owner"}
    )
    assert answer.status_code == 422
    with tenancy.workspace(ws):
        assert not Invitation.objects.exists()


@pytest.mark.parametrize("who", ["member", "viewer"])
def test_it_is_for_admins_to_send(
    who: str, ws: Workspace, proved: SignedIn, request: pytest.FixtureRequest
) -> None:
    client = proved(request.getfixturevalue(who))
    address = reverse("invitation_new", kwargs={"slug": ws.slug})
    assert client.get(address).status_code == 403
    assert client.post(address, {"email": GUEST, "role": "viewer"}).status_code == 403


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@b", "a@b.example\nBcc: x@y.example", "a b@c.example", "x" * 300 + "@c.example"],
)
def test_it_takes_no_bad_address(address: str, ws: Workspace, admin: User, proved: SignedIn) -> None:
    answer = proved(admin).post(
        reverse("invitation_new", kwargs={"slug": ws.slug}), {"email": address, "role": "viewer"}
    )
    assert answer.status_code == 422
    assert mail.outbox == []


def test_it_says_the_same_for_addresses_with_and_without_an_account(
    ws: Workspace, admin: User, stranger: User, proved: SignedIn, django_capture_on_commit_callbacks: Any
) -> None:
    client = proved(admin)
    seen = []
    for address in (stranger.email, "nobody@nowhere.example"):
        with django_capture_on_commit_callbacks(execute=True):
            answer = client.post(
                reverse("invitation_new", kwargs={"slug": ws.slug}), {"email": address, "role": "viewer"}
            )
        page = client.get(answer.headers["Location"])
        said = [str(message) for message in page.context["messages"]]
        seen.append((answer.status_code, [one.replace(address, "x") for one in said], len(mail.outbox)))
    assert seen[0][:2] == seen[1][:2]
    assert seen[1][2] == 2


def test_it_keeps_to_a_number_a_day(
    ws: Workspace, admin: User, proved: SignedIn, settings: Any, later: Callable[..., None]
) -> None:
    settings.INVITATIONS_PER_DAY = 3
    client, address = proved(admin), reverse("invitation_new", kwargs={"slug": ws.slug})
    codes = [
        client.post(address, {"email": f"p{number}@guest.example", "role": "viewer"}).status_code
        for number in range(5)
    ]
    assert codes == [302, 302, 302, 422, 422]
    later(days=1, seconds=1)
    prove(client, admin)
    assert client.post(address, {"email": "p9@guest.example", "role": "viewer"}).status_code == 302


def test_it_floods_no_address(
    ws: Workspace, admin: User, proved: SignedIn, invited: Callable[..., str], settings: Any
) -> None:
    settings.INVITATIONS_PER_ADDRESS = 2
    invited()
    client = proved(admin)
    client.post(act("invitation_resend", ws))
    last = row(ws).pk
    client.post(act("invitation_resend", ws))
    assert row(ws).pk == last
    with tenancy.workspace(ws):
        assert invitations.open_invitations().count() == 1


def test_it_lists_what_is_open_for_admins(
    ws: Workspace, admin: User, viewer: User, signed_in: SignedIn, invited: Callable[..., str]
) -> None:
    invited()
    page = reverse("members", kwargs={"slug": ws.slug})
    assert GUEST in signed_in(admin).get(page).text
    assert GUEST not in signed_in(viewer).get(page).text


def test_it_limits_the_person_to_the_projects_that_were_named(
    ws: Workspace, guest: User, signed_in: SignedIn, invited: Callable[..., str]
) -> None:
    with tenancy.workspace(ws):
        mine, other = factories.make_project("Alpine"), factories.make_project("Harbour")
    path = invited(all_projects="", projects=[str(mine.pk)])
    client = signed_in(guest)
    client.post(path)
    page = client.get(f"/w/{ws.slug}/projects/").text
    assert "Alpine" in page
    assert "Harbour" not in page
    assert client.get(f"/w/{ws.slug}/projects/{other.pk}/").status_code == 404


def test_it_names_no_project_of_another_workspace(
    ws: Workspace, admin: User, stranger: User, proved: SignedIn
) -> None:
    with tenancy.workspace(Membership.objects.get(user=stranger).workspace):
        theirs = factories.make_project("Theirs")
    answer = proved(admin).post(
        reverse("invitation_new", kwargs={"slug": ws.slug}),
        {"email": GUEST, "role": "viewer", "projects": [str(theirs.pk)]},
    )
    assert answer.status_code == 422 or row(ws).project_ids == []
