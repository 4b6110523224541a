"""From nothing to a workspace, through the pages alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client

from accounts.models import AuditEvent, Membership, User, Workspace
from accounts.tenancy import workspace
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

FORM = {"name": "Maya Marsh", "email": "maya@marsh.example", "password1": PASSWORD, "company": ""}


def link_in(text: str) -> str:
    found = re.search(r"https?://[^/\s]+(/\S+)", text)
    assert found, text
    return found.group(1)


def test_it_makes_a_workspace_and_leads_into_it_once_the_address_is_confirmed() -> None:
    browser = Client()
    answer = browser.post("/accounts/signup/", FORM)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/confirm-email/")
    assert browser.get("/accounts/settings/").status_code == 404
    (sent,) = mail.outbox
    assert sent.to == ["maya@marsh.example"]
    assert sent.subject == "Confirm your email address"

    page = browser.get(link_in(str(sent.body)))
    assert "maya@marsh.example" in page.content.decode()
    answer = browser.post(link_in(str(sent.body)))
    assert answer.headers["Location"] == "/"
    assert browser.get("/").headers["Location"] == "/w/mayas-workspace/"

    user = User.objects.get(email="maya@marsh.example")
    assert user.name == "Maya Marsh"
    place = Membership.objects.get(user=user)
    assert (place.role, place.workspace.name) == ("owner", "Maya’s workspace")
    assert browser.get("/w/mayas-workspace/settings/").status_code == 200
    with workspace(place.workspace):
        assert AuditEvent.objects.get().action == "workspace.created"


def test_it_opens_nothing_before_the_address_is_confirmed() -> None:
    browser = Client()
    browser.post("/accounts/signup/", FORM)
    answer = browser.get("/w/mayas-workspace/settings/")
    assert answer.headers["Location"].startswith("/accounts/login/?next=")
    answer = browser.post("/accounts/login/", {"login": FORM["email"], "password": PASSWORD})
    assert answer.headers["Location"] == "/accounts/confirm-email/"


def test_it_names_the_first_workspace_after_the_company() -> None:
    Client().post("/accounts/signup/", {**FORM, "company": "Marsh & Daughters"})
    row = Workspace.objects.get()
    assert (row.name, row.slug) == ("Marsh & Daughters", "marsh-daughters")


@pytest.mark.parametrize("field", ["name", "company"])
@pytest.mark.parametrize(
    "value", ["Maya\r\nBcc: all@victim.example", "Maya\nX: y", "Maya\u2028x", "M\x00aya", "M\x85aya"]
)
def test_it_refuses_a_line_break_in_a_name_beside_the_field(field: str, value: str) -> None:
    page = Client().post("/accounts/signup/", {**FORM, field: value})
    assert page.status_code == 200
    text = page.content.decode()
    assert f'id="id_{field}_error"' in text
    assert re.search(rf'id="id_{field}"[^>]*aria-describedby="[^"]*id_{field}_error', text) or re.search(
        rf'aria-describedby="[^"]*id_{field}_error[^>]*id="id_{field}"', text
    )
    assert not User.objects.exists()
    assert not mail.outbox


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "maya@"),
        ("email", "maya@marsh.example\nBcc: all@victim.example"),
        ("email", ""),
        ("password1", "short"),
        ("password1", "password1234"),
        ("name", "   "),
        ("name", "x" * 121),
    ],
)
def test_it_says_what_is_wrong_beside_the_field_and_keeps_the_rest(field: str, value: str) -> None:
    page = Client().post("/accounts/signup/", {**FORM, "company": "Marsh", field: value})
    assert page.status_code == 200
    text = page.content.decode()
    assert f'id="id_{field}_error"' in text
    assert 'value="Marsh"' in text
    assert not User.objects.exists()


def test_it_does_not_tell_who_has_an_account(person: Callable[..., User]) -> None:
    person(FORM["email"], name="Maya Marsh")
    answer = Client().post("/accounts/signup/", {**FORM, "name": "Somebody Else"})
    assert answer.headers["Location"] == "/accounts/confirm-email/"
    assert User.objects.get().name == "Maya Marsh"
    assert not Workspace.objects.exists()
    assert [sent.subject for sent in mail.outbox] == ["You have an account already"]


def test_it_gives_a_taken_name_a_slug_of_its_own() -> None:
    Client().post("/accounts/signup/", {**FORM, "company": "Marsh"})
    Client().post("/accounts/signup/", {**FORM, "email": "two@marsh.example", "company": "Marsh"})
    slugs = sorted(Workspace.objects.values_list("slug", flat=True))
    assert len(slugs) == 2
    assert slugs[0] == "marsh"
    assert slugs[1].startswith("marsh-")


def test_it_says_that_a_used_link_has_ended() -> None:
    browser = Client()
    browser.post("/accounts/signup/", FORM)
    assert "This link has ended" in browser.get("/accounts/confirm-email/MQ:forged:link/").content.decode()
