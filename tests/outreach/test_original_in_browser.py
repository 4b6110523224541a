"""Mails of strangers in a real browser: nothing runs, loads or gets out of the frame (T15-T17)."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Browser, Dialog, Error, Page, Request
from pytest_django.live_server_helper import LiveServer

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from mailbox.parsing.html import sanitise
from outreach.models import MessageState, Reply
from tests.config.test_same_origin import let_in
from tests.factories import make_message, make_reply, make_thread

ACT = "top.__pwned=window.__pwned=1;fetch(`http://127.0.0.1:8999/ran`)"
LOAD = "http://127.0.0.1:8999/loaded"
WRAPS = ["svg", "math", "p", "table", "select", "b", "svg><desc", "li"]
# Each runs or loads something in a page without protection.
CORPUS = [
    f"<script>{ACT}</script>",
    f"<script src={LOAD}.js></script>",
    f'<img src=x: onerror="{ACT}">',
    f'<img src="{LOAD}.png" srcset="{LOAD}2.png 2x">',
    f'<svg onload="{ACT}"></svg>',
    f"<svg><script>{ACT}</script></svg>",
    f'<svg><image href="{LOAD}.svg"/></svg>',
    f'<svg><animate attributeName=x begin=0s onbegin="{ACT}" /></svg>',
    f'<body onload="{ACT}">',
    f'<details open ontoggle="{ACT}">a</details>',
    f'<input autofocus onfocus="{ACT}">',
    f'<video src="{LOAD}.mp4" onerror="{ACT}" poster="{LOAD}.jpg" autoplay></video>',
    f'<audio src="{LOAD}.mp3" autoplay onerror="{ACT}"></audio>',
    f'<iframe srcdoc="<script>{ACT}</script>"></iframe>',
    f'<iframe src="javascript:{ACT}"></iframe>',
    f'<iframe src="{LOAD}.html"></iframe>',
    f'<object data="{LOAD}.html"></object><embed src="{LOAD}2.html">',
    f'<style>@import url("{LOAD}.css");</style>',
    f"<style>body{{background:url({LOAD}-bg.png)}}</style>",
    f'<div style="background:url({LOAD}-inline.png);position:fixed;inset:0">Sign in again</div>',
    f'<link rel=stylesheet href="{LOAD}.css"><link rel=prefetch href="{LOAD}.html">',
    f'<meta http-equiv="refresh" content="0;url={LOAD}.html">',
    f'<table background="{LOAD}-table.png"><tr><td>a</table>',
    f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x: onerror={ACT}&gt;">',
    f'<noscript><p title="</noscript><img src=x: onerror={ACT}>"></noscript>',
    f'<form><math><mtext></form><form><mglyph><style></math><img src=x: onerror="{ACT}">',
    f'<svg></p><style><a id="</style><img src=x: onerror={ACT}>"></svg>',
    f'<title><a title="</title><img src=x: onerror={ACT}>"></title>',
    f'<textarea><a title="</textarea><img src=x: onerror={ACT}>"></textarea>',
    f'<template><img src=x: onerror="{ACT}"></template><img src=x: onerror="{ACT}">',
    f'<select><template><style></select><img src=x: onerror="{ACT}">',
    f'<a href="javascript:{ACT}" autofocus onfocus="{ACT}" tabindex=1>a</a>',
    f'<base href="{LOAD}/"><img src=relative.png>',
    f'<marquee onstart="{ACT}">a</marquee>',
    f'<xmp><img alt="</xmp><img src=x: onerror={ACT}>"></xmp>',
]
SEED, EACH = 20, 3


def mutate(html: str, dice: random.Random) -> str:
    """The same attack, written as filters do not expect it."""
    for _ in range(dice.randint(1, 3)):
        cut = dice.randrange(len(html))
        html = dice.choice(
            [
                html.swapcase() if "http" not in html else html,
                html[:cut] + dice.choice(["\x00", "\t", "\n", "\x0c", "/", "\u2028"]) + html[cut:],
                html.replace("<", "<\x0b", 1),
                f"<{dice.choice(WRAPS)}>{html}",
                f"{html}</{dice.choice(WRAPS)}>",
                html.replace('"', "'"),
                html.replace('"', "`"),
                html.replace(" ", "/"),
                f"<!--{html[:cut]}-->{html}",
                f"<![CDATA[{html}]]>{html}",
                f"<div title='{html[:cut]}'>{html}",
                "<b>" * 60 + html,
                html.replace("script", "scr<script>ipt"),
                html + html[:cut],
            ]
        )
    return html


def attacks() -> list[str]:
    dice = random.Random(SEED)
    return CORPUS + [mutate(html, dice) for html in CORPUS for _ in range(EACH)]


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


def note(asked: list[str], request: Request) -> None:
    asked.append(request.url)


def asked(page: Page) -> list[str]:
    found: list[str] = page.asked  # type: ignore[attr-defined]
    return found


@pytest.mark.slow
def test_it_shows_what_a_stranger_sent_without_running_or_loading_any_of_it(
    watched: Page, live_server: LiveServer, owner: User, ws: Workspace, reply: Reply,
    signed_in: Callable[[User], Client], capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """As it would stand if no rule had cleaned it before it was stored."""
    let_in(watched, live_server, signed_in(owner))
    frame = f"{live_server.url}/w/{ws.slug}/replies/{reply.pk}/original/"
    with workspace(ws):
        thread = f"{live_server.url}/w/{ws.slug}/inbox/{reply.thread_id}/"
    tried = attacks()
    asked(watched).clear()
    for html in tried:
        with workspace(ws):
            reply.html = html
            reply.save(update_fields=["html"])
        watched.goto(frame)
        assert watched.evaluate("window.__pwned") is None, html
    # And inside the page, with the frame open, where `top` is ours.
    for html in tried[:: len(tried) // 12]:
        with workspace(ws):
            reply.html = html
            reply.save(update_fields=["html"])
        watched.goto(thread)
        watched.locator("details.fold summary").first.click()
        watched.frame_locator("iframe.original").locator("body").wait_for()
        assert watched.evaluate("window.__pwned") is None, html
    foreign = [url for url in asked(watched) if not url.startswith(live_server.url)]
    with capsys.disabled():
        print(  # noqa: T201  (the figures of the run)
            f"\noriginals in Chromium, seed {SEED}: {len(tried)} mails, 0 ran, {len(foreign)} requests out"
        )
    assert foreign == []


def has_run(page: Page) -> bool:
    try:
        return bool(page.evaluate("window.__pwned"))
    except Error:  # it has just taken the page elsewhere
        return True


def test_it_would_see_an_attack_that_works(browser: Browser, live_server: LiveServer) -> None:
    """The corpus has teeth: in a page without protection it runs and loads."""
    ran = 0
    for html in CORPUS:
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", functools.partial(note, asked))
        page.set_content(html, wait_until="commit")
        page.wait_for_timeout(100)
        ran += any("127.0.0.1:8999" in url for url in asked) or has_run(page)
        page.close()
    assert ran >= len(CORPUS) * 2 // 3, ran


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
    # Its own stylesheet is there: the link says where it leads.
    shown = link.evaluate("a => getComputedStyle(a, '::after').content")
    assert "https://site.example/a" in shown
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
    assert sanitise("<p>Hello</p>") in page
