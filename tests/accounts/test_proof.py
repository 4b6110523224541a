"""The fresh proof before a sensitive act: asked when it is old, never before a stop, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.http import require_http_methods

from accounts.access import signed_in as signed_in_only
from accounts.models import User, Workspace
from accounts.people.proof import KEPT, recently_proved
from config.urls import urlpatterns as product
from mailbox.models import Mailbox, MailboxState
from outreach.models import Project
from tests import factories
from tests.conftest import PASSWORD
from tests.proofs import prove, unprove

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

Browser = Callable[[User], Client]
done: list[list[tuple[str, list[str]]]] = []


@signed_in_only
@recently_proved("Give the workspace away")
@require_http_methods(["GET", "POST"])
def sensitive(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        done.append([(name, values) for name, values in request.POST.lists() if "csrf" not in name])
    return HttpResponse(f"a form, {request.GET.get('x', '')}")


urlpatterns = [*product, path("planted/sensitive/", sensitive)]


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    done.clear()


def way(answer: Any) -> str:
    assert answer.status_code == 302, answer.content
    return str(answer.headers["Location"])


def fields(page: str) -> list[tuple[str, str]]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return [(name, unescape(value)) for name, value in found if name != "csrfmiddlewaretoken"]


def test_it_lets_a_fresh_sign_in_act(owner: User, signed_in: Browser) -> None:
    assert signed_in(owner).post("/planted/sensitive/", {"to": "ada"}).status_code == 200
    assert done == [[("to", ["ada"])]]


def test_it_shows_the_page_without_a_proof(owner: User, signed_in: Browser) -> None:
    browser = signed_in(owner)
    unprove(browser)
    assert browser.get("/planted/sensitive/").status_code == 200


@pytest.mark.parametrize("ago", [301.0, 86_400.0, -60.0])
def test_it_keeps_a_form_through_the_proof_and_sends_it_by_a_press(
    ago: float, owner: User, signed_in: Browser
) -> None:
    browser = signed_in(owner)
    prove(browser, owner, ago=ago)
    words = {"to": ["ada", "milo"], "note": 'a "quoted" <b>&amp;\nsecond line'}
    proof = way(
        browser.post(
            "/planted/sensitive/?x=1", words, headers={"Referer": "http://testserver/planted/sensitive/"}
        )
    )
    assert proof == "/accounts/reauthenticate/?next=%2Faccounts%2Fgo-on%2F"
    assert done == []
    # Three letters may stand in any digest; a space stands in none.
    assert "second line" not in str(dict(browser.session))

    wrong = browser.post(proof, {"password": "not-the-password"})
    assert wrong.status_code == 200
    assert browser.get("/accounts/go-on/").headers["Location"].startswith("/accounts/reauthenticate/")

    assert way(browser.post(proof, {"password": PASSWORD})) == "/accounts/go-on/"
    assert done == []
    page = browser.get("/accounts/go-on/").content.decode()
    assert "Give the workspace away" in page
    assert 'action="/planted/sensitive/?x=1"' in page
    assert 'href="/planted/sensitive/"' in page
    kept = fields(page)
    assert kept == [("to", "ada"), ("to", "milo"), ("note", words["note"])]
    assert browser.post("/planted/sensitive/?x=1", words).status_code == 200
    assert done == [[("to", ["ada", "milo"]), ("note", [words["note"]])]]
    assert KEPT not in browser.session
    assert way(browser.get("/accounts/go-on/")) == "/"


def test_it_shows_a_kept_form_to_nobody_else(owner: User, member: User, signed_in: Browser) -> None:
    browser = signed_in(owner)
    prove(browser, owner, ago=400)
    browser.post("/planted/sensitive/", {"to": "ada"})
    sealed = browser.session[KEPT]
    other = signed_in(member)
    session = other.session
    session[KEPT] = sealed
    session.save()
    assert way(other.get("/accounts/go-on/")) == "/"


def test_it_forgets_a_kept_form_after_ten_minutes(
    owner: User, signed_in: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(owner)
    prove(browser, owner, ago=400)
    browser.post("/planted/sensitive/", {"to": "ada"})
    monkeypatch.setattr("accounts.people.proof.KEPT_SECONDS", 0)
    assert way(browser.get("/accounts/go-on/")) == "/"


def test_it_leads_back_to_the_page_when_a_form_is_too_long_to_keep(owner: User, signed_in: Browser) -> None:
    browser = signed_in(owner)
    prove(browser, owner, ago=400)
    answer = browser.post(
        "/planted/sensitive/", {"note": "x" * 70_000}, headers={"Referer": "http://testserver/planted/form/"}
    )
    assert way(answer).endswith("?next=%2Fplanted%2Fform%2F")
    assert KEPT not in browser.session


@pytest.mark.parametrize(
    "referer",
    [
        "https://evil.example/x/",
        "http://testserver//evil.example/",
        "http://testserver.evil.example/",
        "%%%",
        "",
    ],
)
def test_it_never_leads_elsewhere(referer: str, owner: User, signed_in: Browser) -> None:
    browser = signed_in(owner)
    prove(browser, owner, ago=400)
    browser.post("/planted/sensitive/", {"to": "ada"}, headers={"Referer": referer})
    prove(browser, owner)
    page = browser.get("/accounts/go-on/").content.decode()
    assert "evil" not in page
    assert '<a class="btn btn-quiet" href="/">' in page


def test_it_leads_a_part_of_a_page_as_a_whole(owner: User, signed_in: Browser) -> None:
    browser = signed_in(owner)
    prove(browser, owner, ago=400)
    answer = browser.post("/planted/sensitive/", {"to": "ada"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/accounts/reauthenticate/?next=")
    assert done == []


@pytest.mark.parametrize(
    ("page", "reading"),
    [
        ("/accounts/2fa/totp/activate/", True),
        ("/accounts/2fa/webauthn/add/", True),
        ("/accounts/2fa/recovery-codes/", True),
        ("/accounts/2fa/recovery-codes/download/", True),
        ("/accounts/2fa/recovery-codes/generate/", False),
        ("/accounts/2fa/totp/deactivate/", False),
        ("/accounts/2fa/webauthn/keys/1/remove/", False),
        ("/accounts/email/", False),
        ("/accounts/password/set/", False),
    ],
)
def test_it_asks_before_the_accounts_own_sensitive_acts(
    page: str, reading: bool, owner: User, signed_in: Browser
) -> None:
    browser = signed_in(owner)
    prove(browser, owner, ago=400)
    assert way(browser.post(page, {})).startswith("/accounts/reauthenticate/")
    if reading:
        assert way(browser.get(page)).startswith("/accounts/reauthenticate/")


def test_it_asks_a_person_without_password_or_factor_to_sign_in_again(
    owner: User, signed_in: Browser
) -> None:
    owner.set_unusable_password()
    owner.save()
    browser = signed_in(owner)
    unprove(browser)
    led = way(browser.post("/planted/sensitive/", {"to": "ada"}))
    assert led == "/accounts/again/?next=%2Faccounts%2Fgo-on%2F"
    assert browser.get(led).status_code == 200
    out = way(browser.post("/accounts/again/", {"next": "https://evil.example/"}))
    assert out == "/accounts/login/?next=%2F"
    assert browser.get("/accounts/you/").status_code == 302


def test_it_asks_nothing_before_the_bin(
    owner: User, in_ws: Workspace, signed_in: Browser, providers: object
) -> None:
    box = factories.make_mailbox(owner=owner)
    browser = signed_in(owner)
    prove(browser, owner, ago=86_400)
    answer = browser.post(f"/w/{in_ws.slug}/mailboxes/{box.pk}/remove/")
    assert "/receipts/" in way(answer)
    assert Mailbox.objects.get(pk=box.pk).state == MailboxState.REVOKED


def test_it_asks_before_a_project_is_deleted(owner: User, in_ws: Workspace, signed_in: Browser) -> None:
    project = factories.make_project()
    browser = signed_in(owner)
    prove(browser, owner, ago=400)
    led = way(browser.post(f"/w/{in_ws.slug}/projects/{project.pk}/delete/"))
    assert led.startswith("/accounts/reauthenticate/")
    assert Project.objects.filter(pk=project.pk).exists()


def test_it_asks_nothing_before_a_sign_out_elsewhere(owner: User, signed_in: Browser) -> None:
    browser = signed_in(owner)
    prove(browser, owner, ago=86_400)
    assert way(browser.post("/accounts/sign-ins/end/", {"which": "others"})) == "/accounts/sign-ins/"
