"""Mails of strangers in a real browser: nothing runs, loads or gets out of the frame (T15-T17)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Dialog, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from mailbox.parsing.html import clean
from outreach.models import MessageState, Reply
from outreach.views import original
from tests.config.test_same_origin import let_in
from tests.factories import make_message, make_reply, make_thread
from tests.mailbox.parsing.attacks import SEED, armed, mutated, written
from tests.outreach.stage import Stage, stage

# `make hostile` opens 5,000.
MUTATIONS = int(os.environ.get("HOSTILE_MUTATIONS", "300"))
# Of the written ones, for what turns off the cleaning or the policy.
EVERY = 1 if "HOSTILE_MUTATIONS" in os.environ else 4


@pytest.fixture(scope="module")
def scene() -> Iterator[Stage]:
    with stage() as here:
        yield here


def attacks(scene: Stage, every: int = 1) -> list[str]:
    """The written attacks, each with an address of its own."""
    return [armed(payload, f"{scene.elsewhere}/{n}") for n, payload in enumerate(written()[::every])]


@pytest.fixture
def reply(transactional_db: None, ws: Workspace) -> Reply:
    with workspace(ws):
        message = make_message(state=MessageState.SENT)
        message.thread = message.thread or make_thread(message.enrollment)  # type: ignore[arg-type]
        return make_reply(message, html="<p>Hello <a href='https://site.example/a'>our page</a></p>")


@pytest.fixture
def watched(page: Page) -> Page:
    """A tab that writes down every request and every dialog."""
    seen: list[str] = []
    page.asked = seen  # type: ignore[attr-defined]

    def dismiss(dialog: Dialog) -> None:
        seen.append("a dialog")
        dialog.dismiss()

    page.context.on("request", lambda request: seen.append(request.url))
    page.on("dialog", dismiss)
    return page


def asked(page: Page) -> list[str]:
    found: list[str] = page.asked  # type: ignore[attr-defined]
    return found


def test_it_has_many_attacks() -> None:
    assert len(written()) == len(set(written())) >= 300
    made = mutated(written(), 5000)
    assert made == mutated(written(), 5000)
    assert len(set(made)) > 4900


@pytest.mark.slow
def test_it_runs_and_loads_nothing_of_what_a_stranger_sent(
    scene: Stage, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the real frame, with every second mail's pictures shown."""
    tried = attacks(scene)
    mails = tried + mutated(tried, MUTATIONS)
    found = scene.open(browser, mails)
    with capsys.disabled():
        print(  # noqa: T201  (the figures of the run)
            f"\nhostile mails in Chromium, seed {SEED}: {len(tried)} written, {MUTATIONS} made of them; "
            f"{len(found.ran)} ran, {found.dialogs} dialogs, {len(found.asked)} requests and "
            f"{len(found.touched)} connections elsewhere, {len(found.moved)} moved"
        )
    assert found.quiet, str(found)


@pytest.mark.slow
def test_it_would_see_an_attack_that_works(
    scene: Stage, browser: Browser, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without cleaning and without the policy the attacks run and load: they have teeth, and we see them."""
    monkeypatch.setattr(original, "clean", lambda html, picture=None: html)
    tried = attacks(scene, EVERY)
    found = scene.open(browser, tried, policy=False)
    fired = found.fired | set(found.ran)
    with capsys.disabled():
        print(f"\nwithout protection: {len(fired)} of {len(tried)} reach out, {len(found.ran)} run")  # noqa: T201
    assert not found.quiet
    # Many wait for a press or for another browser; enough need neither.
    assert len(fired) > len(tried) // 5
    assert found.dialogs


@pytest.mark.slow
def test_it_is_held_by_the_policy_alone(
    scene: Stage, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(original, "clean", lambda html, picture=None: html)
    found = scene.open(browser, attacks(scene, EVERY))
    assert found.asked
    assert found.held, str(found)


@pytest.mark.slow
def test_it_is_held_by_the_cleaning_alone(scene: Stage, browser: Browser) -> None:
    found = scene.open(browser, attacks(scene, EVERY), policy=False)
    assert found.quiet, str(found)


def test_it_frames_the_original_without_any_right_but_to_open_links(
    watched: Page,
    live_server: LiveServer,
    owner: User,
    ws: Workspace,
    reply: Reply,
    signed_in: Callable[[User], Client],
) -> None:
    let_in(watched, live_server, signed_in(owner))
    with workspace(ws):
        watched.goto(f"{live_server.url}/w/{ws.slug}/inbox/{reply.thread_id}/")
    watched.locator("details.fold summary").first.click()
    box = watched.locator("iframe.original")
    assert box.get_attribute("sandbox") == "allow-popups allow-popups-to-escape-sandbox"
    inside = watched.frame_locator("iframe.original")
    link = inside.get_by_role("link", name="our page")
    link.wait_for()
    assert link.get_attribute("target") == "_blank"
    assert set((link.get_attribute("rel") or "").split()) == {"noopener", "noreferrer", "nofollow"}
    # The link says where it leads, and our stylesheet is there.
    mark = link.locator("bdi.host")
    assert mark.text_content() == "site.example"
    assert mark.evaluate("one => getComputedStyle(one).fontSize") == "12px"
    origin = watched.frames[-1].evaluate("window.origin")
    assert origin == "null"


@pytest.mark.django_db
def test_it_lays_a_policy_of_its_own_on_the_frame(
    ws: Workspace, owner: User, signed_in: Callable[[User], Client]
) -> None:
    with workspace(ws):
        message = make_message(state=MessageState.SENT)
        message.thread = message.thread or make_thread(message.enrollment)  # type: ignore[arg-type]
        row = make_reply(message, html="<p onclick=x>Hello</p><script>x</script>")
    answer = signed_in(owner).get(f"/w/{ws.slug}/replies/{row.pk}/original/")
    rules = {part.split()[0]: part.split()[1:] for part in answer["Content-Security-Policy"].split(";")}
    assert rules["default-src"] == ["'none'"]
    assert rules["frame-ancestors"] == ["'self'"]
    assert "allow-scripts" not in rules["sandbox"]
    assert "allow-same-origin" not in rules["sandbox"]
    assert "script-src" not in rules
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    page = answer.content.decode()
    assert "onclick" not in page
    assert "<script" not in page
    assert clean("<p>Hello</p>") in page
