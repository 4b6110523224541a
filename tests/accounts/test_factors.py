"""The second factor: set up, asked for, taken off; its secrets as ciphertext; workspaces that ask for it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts import audit
from accounts.encryption import Unreadable
from accounts.models import User, Workspace
from accounts.people import factors
from accounts.tenancy import workspace
from tests.accounts.test_sign_in import sign_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

Browser = Callable[[User], Client]
SECRET = re.compile(r'id="authenticator_secret">([A-Z2-7]+)<')


def code_of(secret: str, *, steps: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


def with_app(user: User) -> str:
    """The person has an authenticator app, and recovery codes; returns the app's secret."""
    secret = str(generate_totp_secret())
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def set_up(browser: Client) -> str:
    page = browser.get("/accounts/2fa/totp/activate/").content.decode()
    found = SECRET.search(page)
    assert found, page
    assert (
        give_code(browser, "/accounts/2fa/totp/activate/", found.group(1)) == "/accounts/2fa/recovery-codes/"
    )
    return found.group(1)


def give_code(browser: Client, url: str, secret: str) -> str:
    """Where the right code leads. A code that went out of date on the way is given once more."""
    for _ in range(2):
        answer = browser.post(url, {"code": code_of(secret)})
        if answer.status_code == 302:
            return str(answer.headers["Location"])
    raise AssertionError(answer.content)


@pytest.mark.django_db(transaction=True)
def test_it_sets_up_an_app_and_shows_the_codes_that_save_a_person(owner: User, signed_in: Browser) -> None:
    browser = signed_in(owner)
    wrong = browser.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    assert "This code does not fit" in wrong.content.decode()
    assert not factors.has_second_factor(owner)
    set_up(browser)
    assert factors.has_second_factor(owner)
    page = browser.get("/accounts/2fa/recovery-codes/").content.decode()
    codes = re.findall(r"<li>(\d{8})</li>", page)
    assert len(codes) == 10
    text = browser.get("/accounts/2fa/recovery-codes/download/")
    assert "attachment" in text.headers["Content-Disposition"]
    assert all(code in text.content.decode() for code in codes)
    assert [sent.subject for sent in mail.outbox] == ["Your account has an authenticator app now"]

    browser.post("/accounts/2fa/recovery-codes/generate/")
    fresh = re.findall(r"<li>(\d{8})</li>", browser.get("/accounts/2fa/recovery-codes/").content.decode())
    assert len(fresh) == 10
    assert not set(fresh) & set(codes)


def test_it_stores_no_secret_in_clear(owner: User, signed_in: Browser) -> None:
    secret = set_up(signed_in(owner))
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, data::text FROM mfa_authenticator ORDER BY type")
        stored = dict(cursor.fetchall())
    app = Authenticator.objects.get(type="totp")
    seed = Authenticator.objects.get(type="recovery_codes")
    opened = factors.unseal(factors.sealed_values(seed)["seed"])
    assert factors.unseal(factors.sealed_values(app)["secret"]) == secret
    assert secret not in stored["totp"]
    assert opened not in stored["recovery_codes"]
    broken = app.data["secret"][:-6] + "AAAAA="
    for bad in (broken, secret, "not base64 at all"):
        with pytest.raises(Unreadable):
            factors.unseal(bad)


def test_it_asks_for_the_second_factor_at_sign_in(owner: User, ws: Workspace) -> None:
    secret = with_app(owner)
    browser = Client()
    assert sign_in(browser, owner.email, PASSWORD) == "/accounts/2fa/authenticate/"
    assert browser.get(f"/w/{ws.slug}/settings/").status_code == 302
    assert (
        "This code does not fit"
        in browser.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
    )
    assert give_code(browser, "/accounts/2fa/authenticate/", secret) == "/"
    assert browser.get(f"/w/{ws.slug}/settings/").status_code == 200


def test_it_takes_each_code_once(owner: User) -> None:
    """Somebody may have looked over a shoulder."""
    secret = with_app(owner)
    first, second = Client(), Client()
    for browser in (first, second):
        sign_in(browser, owner.email, PASSWORD)
    if time.time() % 30 > 20:
        time.sleep(30.1 - time.time() % 30)
    code = code_of(secret)
    assert first.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
    assert second.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200


def test_it_takes_each_recovery_code_once(owner: User) -> None:
    with_app(owner)
    row = Authenticator.objects.get(user=owner, type="recovery_codes")
    code = row.wrap().get_unused_codes()[0]
    for expected in (302, 200):
        browser = Client()
        sign_in(browser, owner.email, PASSWORD)
        assert browser.post("/accounts/2fa/authenticate/", {"code": code}).status_code == expected


def test_it_slows_the_guessing_of_codes_down(owner: User) -> None:
    secret = with_app(owner)
    browser = Client()
    sign_in(browser, owner.email, PASSWORD)
    for number in range(5):
        browser.post("/accounts/2fa/authenticate/", {"code": f"00000{number}"})
    page = browser.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert page.status_code == 200
    assert "Too many tries" in page.content.decode()


def test_it_removes_the_codes_with_the_last_factor(owner: User, signed_in: Browser) -> None:
    with_app(owner)
    browser = signed_in(owner)
    assert browser.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.filter(user=owner).exists()
    assert sign_in(Client(), owner.email, PASSWORD) == "/"


@pytest.mark.django_db(transaction=True)
def test_it_gives_the_session_a_new_key_when_a_factor_comes_or_goes(owner: User, ws: Workspace) -> None:
    browser = Client()
    sign_in(browser, owner.email, PASSWORD)
    before = browser.session.session_key
    set_up(browser)
    between = browser.session.session_key
    assert before != between
    browser.post("/accounts/2fa/totp/deactivate/")
    assert browser.session.session_key not in (before, between)
    old = Client()
    old.cookies["outreach_session"] = str(before)
    assert old.get(f"/w/{ws.slug}/settings/").status_code == 302
    assert "this browser" in browser.get("/accounts/sign-ins/").content.decode()


def test_it_closes_a_workspace_that_asks_for_two_factors(
    ws: Workspace, owner: User, member: User, signed_in: Browser
) -> None:
    Workspace.objects.filter(pk=ws.pk).update(requires_two_factors=True)
    browser = signed_in(member)
    for url in (f"/w/{ws.slug}/", f"/w/{ws.slug}/settings/", f"/w/{ws.slug}/inbox/"):
        answer = browser.get(url)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/2fa/")
        assert browser.post(url).headers["Location"] == "/accounts/2fa/"
    part = browser.get(f"/w/{ws.slug}/inbox/", headers={"HX-Request": "true"})
    assert part.headers["HX-Redirect"] == "/accounts/2fa/"
    assert browser.get(f"/w/{ws.slug}/", headers={"Accept": "application/json"}).status_code == 403
    page = browser.get("/accounts/2fa/").content.decode()
    assert f"{ws.name} asks for two factors" in page
    set_up(browser)
    assert browser.get(f"/w/{ws.slug}/settings/").status_code == 200
    browser.post("/accounts/2fa/totp/deactivate/")
    assert browser.get(f"/w/{ws.slug}/settings/").status_code == 302


def test_it_hides_a_workspace_from_strangers_all_the_same(
    ws: Workspace, stranger: User, signed_in: Browser
) -> None:
    Workspace.objects.filter(pk=ws.pk).update(requires_two_factors=True)
    assert signed_in(stranger).get(f"/w/{ws.slug}/").status_code == 404


def test_it_refuses_a_factor_for_an_address_that_is_not_confirmed(owner: User, signed_in: Browser) -> None:
    owner.emailaddress_set.update(verified=False)  # type: ignore[attr-defined]
    answer = signed_in(owner).get("/accounts/2fa/totp/activate/")
    assert answer.headers["Location"] == "/accounts/2fa/"


@pytest.mark.parametrize(
    "credential", ["", "{}", "[]", "null", '{"id": "x"}', '{"type": 7}', "\x00", "{" * 2000]
)
def test_it_bears_every_nonsense_in_place_of_a_key(credential: str, owner: User, signed_in: Browser) -> None:
    browser = signed_in(owner)
    for page in ("add/", "reauthenticate/"):
        browser.get(f"/accounts/2fa/webauthn/{page}")
        assert browser.post(f"/accounts/2fa/webauthn/{page}", {"credential": credential}).status_code < 500
    out = Client()
    out.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"})
    assert out.post("/accounts/2fa/webauthn/login/", {"credential": credential}).status_code < 500
    assert not Authenticator.objects.exists()


def test_it_keeps_other_peoples_keys_from_view(owner: User, member: User, signed_in: Browser) -> None:
    row = Authenticator.objects.create(user=owner, type="webauthn", data={"name": "Key", "credential": {}})
    browser = signed_in(member)
    for act in ("remove", "edit"):
        url = f"/accounts/2fa/webauthn/keys/{row.pk}/{act}/"
        assert browser.get(url).status_code == 404
        assert browser.post(url, {"name": "Mine"}).status_code == 404
    assert Authenticator.objects.get(pk=row.pk).data["name"] == "Key"


def test_it_takes_the_factors_off_for_a_person_who_has_lost_them(
    owner: User, ws: Workspace, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    browser = Client()
    sign_in(browser, owner.email, PASSWORD)
    with_app(owner)
    for address in ("nobody@nowhere.example", ""):
        with pytest.raises(CommandError):
            call_command("remove_factors", address)
    with django_capture_on_commit_callbacks(execute=True):
        call_command("remove_factors", owner.email.upper(), stdout=StringIO())
    assert not Authenticator.objects.exists()
    assert browser.get("/accounts/you/").status_code == 302
    assert mail.outbox[-1].to == [owner.email]
    with workspace(ws):
        line = audit.lines().get(action="member.factors_removed")
        assert (line.actor_kind, line.object_id) == ("operator", owner.sid)
    with pytest.raises(CommandError):
        call_command("remove_factors", owner.email)
