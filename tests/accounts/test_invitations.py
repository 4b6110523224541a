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

from accounts import clock, invitations, tenancy
from accounts.models import Invitation, Membership, Role, User, Workspace
from tests import factories
from tests.proofs import prove

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
GUEST = "gesa@guest.example"


@pytest.fixture
def proved(signed_in: SignedIn) -> SignedIn:
    def make(user: User) -> Client:
        client = signed_in(user)
        prove(client, user)
        return client

    return make


@pytest.fixture
def guest(person: Callable[..., User]) -> User:
    return person(GUEST, name="Gesa Guest")


@pytest.fixture
def invited(
    ws: Workspace, admin: User, proved: SignedIn, django_capture_on_commit_callbacks: Any
) -> Callable[..., str]:
    """Sends an invitation through the page; the path of the link in the mail."""

    def send(address: str = GUEST, *, by: User | None = None, **fields: Any) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            answer = proved(by or admin).post(
                reverse("invitation_new", kwargs={"slug": ws.slug}),
                {"email": address, "role": "member", "all_projects": "on", **fields},
            )
        assert answer.status_code == 302, answer.content.decode()
        return link()

    return send


def link() -> str:
    found = re.search(r"(/join/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def row(ws: Workspace) -> Invitation:
    with tenancy.workspace(ws):
        return Invitation.objects.select_related("invited_by").latest("created_at")


def act(name: str, ws: Workspace) -> str:
    return reverse(name, kwargs={"slug": ws.slug, "pk": row(ws).pk})


def is_in(ws: Workspace, user: User) -> bool:
    return Membership.objects.filter(workspace=ws, user=user).exists()


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
