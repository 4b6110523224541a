"""Tokens: opaque, bound to their purpose, and broken by any change."""

from __future__ import annotations

import base64
import secrets
import uuid
from urllib.parse import urlsplit

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from accounts.tenancy import workspace
from tracking.models import LinkTarget
from tracking.tokens import (
    Invalid,
    click_url,
    is_ours,
    is_web_address,
    opt_out_url,
    pixel_url,
    read_click,
    read_opt_out,
    read_pixel,
)

WS, KEY = uuid.uuid4(), uuid.uuid4()
TARGET = "https://fernhill.example/guide?a=1&b=ü#part"


def token(url: str) -> str:
    return urlsplit(url).path.split("/", 2)[2]


def test_it_reads_what_it_wrote() -> None:
    assert read_pixel(token(pixel_url(WS, KEY))).key == KEY
    found = read_click(token(click_url(WS, KEY, TARGET, 7)))
    assert (found.workspace_id, found.key, found.link_no, found.target()) == (WS, KEY, 7, TARGET)
    mark = read_opt_out(token(opt_out_url(WS, KEY, address_index=b"i" * 32)))
    assert (mark.workspace_id, mark.key, mark.address_index) == (WS, KEY, b"i" * 32)
    assert read_opt_out(token(opt_out_url(WS, KEY))).address_index == b""


def test_it_gives_the_same_mail_the_same_addresses() -> None:
    assert click_url(WS, KEY, TARGET, 1) == click_url(WS, KEY, TARGET, 1)
    assert click_url(WS, KEY, TARGET, 1) != click_url(WS, KEY, TARGET, 2)


def test_it_tells_nothing_in_the_address() -> None:
    blob = base64.urlsafe_b64decode(token(click_url(WS, KEY, TARGET, 1)) + "==")
    assert WS.bytes not in blob
    assert KEY.bytes not in blob
    assert b"fernhill" not in blob


def test_it_opens_no_token_of_another_purpose() -> None:
    readers = [read_pixel, read_click, read_opt_out]
    urls = [pixel_url(WS, KEY), click_url(WS, KEY, TARGET, 1), opt_out_url(WS, KEY)]
    for right, url in enumerate(urls):
        for at, reader in enumerate(readers):
            if at != right:
                with pytest.raises(Invalid):
                    reader(token(url))


def test_it_breaks_by_any_changed_character() -> None:
    good = token(click_url(WS, KEY, TARGET, 1))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for at, was in enumerate(good):
        other = alphabet[(alphabet.index(was) + 1) % 64]
        with pytest.raises(Invalid):
            read_click(good[:at] + other + good[at + 1 :])


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 10, 40])
def test_it_breaks_when_cut(cut: int) -> None:
    with pytest.raises(Invalid):
        read_click(token(click_url(WS, KEY, TARGET, 1))[:-cut])


def test_it_has_one_spelling_only() -> None:
    good = token(opt_out_url(WS, KEY))
    for other in (
        good + "=",
        good + "==",
        good + "\n",
        " " + good,
        good.replace("-", "+").replace("_", "/") + "==",
    ):
        if other != good:
            with pytest.raises(Invalid):
                read_opt_out(other)


def test_it_refuses_random_tokens() -> None:
    for _ in range(2000):
        blob = b"\x01" + secrets.token_bytes(16 + secrets.randbelow(120))
        with pytest.raises(Invalid):
            read_click(base64.urlsafe_b64encode(blob).rstrip(b"=").decode())


@pytest.mark.parametrize("bad", ["", "a", "ü", "%00", "A" * 5000, "AQ", "..", "é" * 40])
def test_it_refuses_malformed_tokens(bad: str) -> None:
    for reader in (read_pixel, read_click, read_opt_out):
        with pytest.raises(Invalid):
            reader(bad)


def test_it_opens_old_tokens_after_the_key_was_changed(settings: Settings) -> None:
    old = token(opt_out_url(WS, KEY))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert read_opt_out(old).key == KEY
    assert token(opt_out_url(WS, KEY)) != old
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(Invalid):
        read_opt_out(old)


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://a.example/",
        "//a.example/",
        "/path",
        "mailto:a@b.example",
        "https://",
        "https:///path",
        "http://user:pass@a.example/",
        "https://a.example\\@b.example/",
        "https://a.example/\r\nSet-Cookie: x",
        "https://a.example/ b",
        "https://a.example:port/",
        "https://[::1/",
        "https://a.example/" + "a" * 8000,
        "",
    ],
)
def test_it_signs_web_addresses_only(target: str) -> None:
    assert not is_web_address(target)
    with pytest.raises(ValueError):
        click_url(WS, KEY, target, 1)


def test_it_knows_its_own_addresses() -> None:
    assert is_ours(opt_out_url(WS, KEY))
    assert not is_ours("http://localhost:8000/w/studio/")
    assert not is_ours("https://elsewhere.example/u/abc")


def test_it_refuses_half_an_address_index() -> None:
    with pytest.raises(ValueError):
        opt_out_url(WS, KEY, address_index=b"short")


def test_it_keeps_a_long_target_in_a_row_of_its_workspace(in_ws: Workspace) -> None:
    long = "https://fernhill.example/?" + "ä" * 1600
    url = click_url(in_ws.pk, KEY, long, 3)
    assert url == click_url(in_ws.pk, KEY, long, 3)
    assert LinkTarget.objects.count() == 1
    assert len(url) < 250
    assert read_click(token(url)).target() == long
    stored = LinkTarget.objects.values_list("url", flat=True).get()
    assert b"fernhill" not in bytes(stored)


def test_it_finds_no_row_of_another_workspace_or_mail(in_ws: Workspace, stranger: object) -> None:
    long = "https://fernhill.example/?" + "a" * 1600
    inside = read_click(token(click_url(in_ws.pk, KEY, long, 1)))
    other = Workspace.objects.exclude(pk=in_ws.pk).get()
    with workspace(other), pytest.raises(Invalid):
        inside.target()
    LinkTarget.objects.update(key=uuid.uuid4())
    with pytest.raises(Invalid):
        inside.target()
