"""Settings, activity log and legal pages: who sees them, and what they keep."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client

from accounts import audit
from accounts.models import AuditEvent, User, Workspace
from accounts.people import known_browsers
from accounts.tenancy import workspace
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

Browser = Callable[[User], Client]
PLACES = ["settings", "activity"]


@pytest.mark.parametrize(
    ("place", "status"), [("settings", 200), ("activity", 403)], ids=["settings", "activity"]
)
def test_it_opens_for_its_roles(
    place: str, status: int, owner: User, viewer: User, ws: Workspace, signed_in: Browser
) -> None:
    assert signed_in(owner).get(f"/w/{ws.slug}/{place}/").status_code == 200
    assert signed_in(viewer).get(f"/w/{ws.slug}/{place}/").status_code == status


@pytest.mark.parametrize("place", PLACES)
def test_it_does_not_exist_for_strangers(
    place: str, stranger: User, ex_member: User, ws: Workspace, signed_in: Browser
) -> None:
    for user in (stranger, ex_member):
        answer = signed_in(user).get(f"/w/{ws.slug}/{place}/")
        assert answer.status_code == 404
        assert ws.name not in answer.content.decode()


def test_it_answers_a_stranger_as_if_the_workspace_were_not_there(
    stranger: User, ws: Workspace, signed_in: Browser
) -> None:
    browser = signed_in(stranger)
    real = browser.get(f"/w/{ws.slug}/settings/")
    none = browser.get("/w/no-such-workspace/settings/")
    assert real.status_code == none.status_code == 404
    strip = re.compile(r'"X-CSRFToken": "[^"]*"|nonce="[^"]*"')
    assert strip.sub("", real.content.decode()) == strip.sub("", none.content.decode())


@pytest.mark.parametrize("place", PLACES)
def test_it_asks_the_signed_out_to_sign_in(place: str, ws: Workspace) -> None:
    for slug in (ws.slug, "no-such-workspace"):
        answer = Client().get(f"/w/{slug}/{place}/")
        assert answer.headers["Location"] == f"/accounts/login/?next=/w/{slug}/{place}/"


def test_it_sends_the_whole_page_to_sign_in_when_a_part_of_it_is_asked_for(ws: Workspace) -> None:
    for asked, back in [
        (f"http://testserver/w/{ws.slug}/activity/?page=2", f"/w/{ws.slug}/activity/%3Fpage%3D2"),
        ("https://evil.example/x/", "/x/"),
        ("", "/"),
    ]:
        answer = Client().get(
            f"/w/{ws.slug}/activity/", headers={"HX-Request": "true", "HX-Current-URL": asked}
        )
        assert answer.status_code == 200
        assert answer.headers["HX-Redirect"] == f"/accounts/login/?next={back}"
        assert not answer.content


def new_settings(**more: str) -> dict[str, str]:
    values = {"name": "Studio North", "postal_address": "1 Mill Road, Harwick", "tracks_opens": "on"}
    return {"about": "workspace", **{f"ws-{name}": value for name, value in (values | more).items()}}


def test_it_keeps_the_workspace_settings_and_logs_who_changed_them(
    admin: User, ws: Workspace, signed_in: Browser
) -> None:
    browser = signed_in(admin)
    page = browser.post(f"/w/{ws.slug}/settings/", new_settings(), follow=True).content.decode()
    assert "Workspace settings are saved" in page
    ws.refresh_from_db()
    assert (ws.name, ws.postal_address) == ("Studio North", "1 Mill Road, Harwick")
    assert (ws.tracks_opens, ws.tracks_clicks, ws.single_keys) == (True, False, False)
    assert 'data-single-keys="off"' in page
    with workspace(ws):
        line = AuditEvent.objects.get(action="workspace.changed")
        assert line.actor == admin
        assert "postal address" in line.sentence


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_it_lets_no_role_below_admin_change_the_workspace(
    role: str, ws: Workspace, signed_in: Browser, request: pytest.FixtureRequest
) -> None:
    browser = signed_in(request.getfixturevalue(role))
    answer = browser.post(f"/w/{ws.slug}/settings/", new_settings())
    assert answer.status_code == 403
    assert "Your role does not allow this" in answer.content.decode()
    ws.refresh_from_db()
    assert ws.name == "Studio"
    assert "Save workspace settings" not in browser.get(f"/w/{ws.slug}/settings/").content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Studio\r\nBcc: all@victim.example"),
        ("postal_address", "1 Mill Road\nHarwick"),
        ("name", ""),
        ("name", "x" * 81),
        ("postal_address", "x" * 241),
    ],
)
def test_it_refuses_bad_settings_beside_the_field(
    field: str, value: str, owner: User, ws: Workspace, signed_in: Browser
) -> None:
    answer = signed_in(owner).post(f"/w/{ws.slug}/settings/", new_settings(**{field: value}))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'id="id_ws-{field}_error"' in page
    assert "Bcc" not in page.split("<main")[0]
    ws.refresh_from_db()
    assert ws.name == "Studio"


def test_it_keeps_the_persons_own_name(viewer: User, ws: Workspace, signed_in: Browser) -> None:
    browser = signed_in(viewer)
    values = {"about": "profile", "me-name": "Vera <b>View", "me-company": "Lens"}
    page = browser.post(f"/w/{ws.slug}/settings/", values, follow=True).content.decode()
    assert "Vera &lt;b&gt;View" in page
    viewer.refresh_from_db()
    assert (viewer.name, viewer.company) == ("Vera <b>View", "Lens")
    answer = browser.post(f"/w/{ws.slug}/settings/", {**values, "me-name": "Vera\nX: y"})
    assert answer.status_code == 422
    assert 'id="id_me-name_error"' in answer.content.decode()


def test_it_lists_acts_of_this_workspace_only_newest_first(
    owner: User, ws: Workspace, stranger: User, signed_in: Browser
) -> None:
    with workspace(ws):
        for number in range(60):
            audit.record("test.act", f"Act number {number}.", actor=owner)
        audit.record("test.own", "The product did <this> by itself.")
    browser = signed_in(owner)
    page = browser.get(f"/w/{ws.slug}/activity/").content.decode()
    assert "Act number 59." in page
    assert "Act number 5." not in page
    assert page.index("Act number 59.") < page.index("Act number 50.")
    assert "did &lt;this&gt; by itself" in page
    assert "Outreach itself" in page
    assert "Elsewhere" not in page
    onward = page.partition('rel="next" href="')[2].partition('"')[0]
    assert "Act number 5." in browser.get(f"/w/{ws.slug}/activity/{onward}").content.decode()
    assert browser.get(f"/w/{ws.slug}/activity/?before=zz").status_code == 200


def test_it_makes_a_second_workspace_and_shows_both_in_the_switch(
    owner: User, ws: Workspace, signed_in: Browser
) -> None:
    browser = signed_in(owner)
    assert browser.post("/new/", {"name": "Two\nX: y"}).status_code == 422
    assert browser.post("/new/", {"name": "Second House"}).headers["Location"] == "/w/second-house/"
    page = browser.get("/w/second-house/settings/").content.decode()
    assert 'href="/w/studio/"' in page
    assert 'href="/w/second-house/"' in page


def test_it_marks_the_place_and_opens_the_log_from_the_navigation(
    owner: User, ws: Workspace, signed_in: Browser
) -> None:
    page = signed_in(owner).get(f"/w/{ws.slug}/activity/").content.decode()
    assert f'<a href="/w/{ws.slug}/activity/" class="on" aria-current="page"' in page
    assert "Promises" not in page


@pytest.mark.parametrize("address", ["/privacy/", "/cookies/"])
def test_it_serves_legal_pages_without_script_or_cookie(address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 200
    assert "<script" not in answer.content.decode()
    assert not answer.cookies


def test_it_names_every_cookie_that_it_sets(owner: User, ws: Workspace, signed_in: Browser) -> None:
    browser = Client()
    browser.get("/accounts/login/")
    browser.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    inside = signed_in(owner)
    inside.post(f"/w/{ws.slug}/settings/", new_settings())
    inside.get(f"/w/{ws.slug}/settings/")
    page = Client().get("/cookies/").content.decode()
    names = {*browser.cookies, *inside.cookies}
    assert names >= {settings.CSRF_COOKIE_NAME, settings.SESSION_COOKIE_NAME, known_browsers.COOKIE}
    assert [name for name in names if name not in page] == []


@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/signup/", "/privacy/", "/no-such-page/"])
def test_it_has_no_inline_script_or_style(address: str) -> None:
    answer = Client().get(address)
    page = answer.content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert re.search(r"script-src 'nonce-[^']+' 'strict-dynamic';", policy + ";") or "<script" not in page


def test_it_answers_when_asked_for_health() -> None:
    assert Client().get("/healthz").content == b"ok"
    assert Client().get("/readyz").json() == {"ready": True}
