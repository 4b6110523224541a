"""Pixel and click through the front door."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import DatabaseError
from django.test import Client
from pytest_django.fixtures import Settings

from accounts import clock
from accounts.models import User, Workspace
from accounts.tenancy import workspace
from tests.tracking.conftest import BROWSER, Upper
from tracking import record
from tracking.models import Event, LinkTarget
from tracking.recipient import Trace
from tracking.signals import tracked
from tracking.tokens import click_url, opt_out_url, pixel_url

TARGET = "https://fernhill.example/guide?a=1&b=%20#part"


def pixel(upper: Upper, **headers: str) -> tuple[int, bytes]:
    answer = Client(headers=BROWSER | headers).get(pixel_url(upper.ws.pk, upper.key))
    return answer.status_code, answer.content


def click(upper: Upper, number: int = 1, client: Client | None = None) -> str:
    client = client or Client(headers=BROWSER)
    answer = client.get(click_url(upper.ws.pk, upper.key, TARGET, number))
    assert answer.status_code == 302
    return answer["Location"]


def test_it_stores_an_open_and_sends_it_up(upper: Upper) -> None:
    status, gif = pixel(upper)
    assert (status, len(gif), gif[:6]) == (200, 43, b"GIF89a")
    assert upper.events() == [("opened", "human")]
    (fact,) = upper.facts_that_came_up
    assert (fact["key"], fact["kind"], fact["source"], fact["link"]) == (upper.key, "opened", "human", None)


def test_it_leads_to_the_signed_target_and_says_which_link(upper: Upper) -> None:
    answer = Client(headers=BROWSER).get(click_url(upper.ws.pk, upper.key, TARGET, 4))
    assert (answer.status_code, answer["Location"]) == (302, TARGET)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies
    assert upper.facts_that_came_up[0]["link"] == 4


def test_it_escapes_a_target_for_the_header_only(upper: Upper) -> None:
    url = click_url(upper.ws.pk, upper.key, "https://a.example/ü?q=ä", 1)
    assert Client(headers=BROWSER).get(url)["Location"] == "https://a.example/%C3%BC?q=%C3%A4"


def test_it_leads_to_a_long_target_until_it_is_erased(upper: Upper) -> None:
    long = "https://a.example/?" + "q" * 4000
    with workspace(upper.ws):
        url = click_url(upper.ws.pk, upper.key, long, 1)
    assert Client(headers=BROWSER).get(url)["Location"] == long
    with workspace(upper.ws):
        assert record.forget([upper.key]) == 2
        assert not LinkTarget.objects.exists()
    answer = Client(headers=BROWSER).get(url)
    assert (answer.status_code, "Location" in answer) == (404, False)


def test_it_answers_every_wrong_pixel_alike(upper: Upper) -> None:
    good = pixel_url(upper.ws.pk, upper.key)
    wrong = [
        good[:-1],
        good + "A",
        pixel_url(upper.ws.pk, uuid.uuid4()),
        pixel_url(uuid.uuid4(), upper.key),
        click_url(upper.ws.pk, upper.key, TARGET, 1).replace("/c/", "/o/"),
        "/o/x",
    ]
    right = Client(headers=BROWSER).get(good)
    for url in wrong:
        answer = Client(headers=BROWSER).get(url)
        assert (answer.status_code, answer.content) == (200, right.content)
        assert answer.headers == right.headers
    assert len(upper.events()) == 1


def test_it_is_no_open_redirect(upper: Upper) -> None:
    good = click_url(upper.ws.pk, upper.key, TARGET, 1)
    wrong = [
        good[:-1],
        good[:-20],
        good.replace(good[60], "A" if good[60] != "A" else "B"),
        opt_out_url(upper.ws.pk, upper.key).replace("/u/", "/c/"),
        pixel_url(upper.ws.pk, upper.key).replace("/o/", "/c/"),
        "/c/https://evil.example/",
        "/c/" + "A" * 6000,
        "/c/x?url=https://evil.example/&next=https://evil.example/",
    ]
    for url in wrong:
        answer = Client(headers=BROWSER).get(url)
        assert (answer.status_code, "Location" in answer) == (404, False), url
        assert b"evil.example" not in answer.content
    assert upper.events() == []


def test_it_ignores_what_a_scanner_appends(upper: Upper) -> None:
    url = click_url(upper.ws.pk, upper.key, TARGET, 1)
    answer = Client(headers=BROWSER).get(url + "?url=https://evil.example/")
    assert answer["Location"] == TARGET


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_it_counts_nobody_who_does_not_want_it(upper: Upper, header: str) -> None:
    assert pixel(upper, **{header: "1"})[0] == 200
    assert click(upper, client=Client(headers=BROWSER | {header: "1"})) == TARGET
    assert upper.events() == []


def test_it_goes_on_answering_after_a_withdrawal_and_stores_nothing(upper: Upper) -> None:
    upper.seen = Trace(sent_at=None, opens=False, clicks=False)
    assert pixel(upper)[0] == 200
    assert click(upper) == TARGET
    upper.erase()
    assert pixel(upper)[0] == 200
    assert click(upper) == TARGET
    assert upper.events() == []


def test_it_counts_a_doubled_hit_once(upper: Upper, later: Callable[..., None]) -> None:
    for _ in range(3):
        pixel(upper)
        click(upper)
    assert upper.events() == [("opened", "human"), ("clicked", "human")]
    later(seconds=3)
    pixel(upper)
    assert len(upper.events()) == 3
    assert len(upper.facts_that_came_up) == 3


def test_it_takes_a_burst_for_a_scanners(upper: Upper, later: Callable[..., None]) -> None:
    for number in range(1, 5):
        click(upper, number)
    assert upper.events() == [("clicked", "scanner")] * 4
    with workspace(upper.ws):
        counts = record.counts(upper.key)
    assert (counts.clicks, counts.automatic_clicks, counts.clicked_at) == (0, 4, None)
    later(seconds=60)
    click(upper, 2)
    with workspace(upper.ws):
        assert record.counts(upper.key).clicks == 1


def test_it_takes_a_hasty_visit_for_a_scanners(upper: Upper, settings: Settings) -> None:
    settings.SCANNER_SECONDS = 10
    upper.seen = Trace(sent_at=clock.now() - dt.timedelta(seconds=9), opens=True, clicks=True)
    pixel(upper)
    upper.seen = Trace(sent_at=clock.now() - dt.timedelta(seconds=11), opens=True, clicks=True)
    click(upper)
    assert upper.events() == [("opened", "scanner"), ("clicked", "human")]


def test_it_tells_a_head_from_a_visit(upper: Upper) -> None:
    answer = Client(headers=BROWSER).head(click_url(upper.ws.pk, upper.key, TARGET, 1))
    assert (answer.status_code, answer["Location"]) == (302, TARGET)
    assert upper.events() == [("clicked", "scanner")]


def test_it_knows_the_senders_own_visit(
    upper: Upper,
    member: User,
    stranger: User,
    signed_in: Callable[[User], Client],
    later: Callable[..., None],
) -> None:
    for user, number in ((member, 1), (stranger, 2)):
        client = signed_in(user)
        client.defaults.update(HTTP_USER_AGENT=BROWSER["User-Agent"], HTTP_SEC_FETCH_MODE="navigate")
        click(upper, number, client)
    assert upper.events() == [("clicked", "self"), ("clicked", "human")]
    with workspace(upper.ws):
        assert record.counts(upper.key).clicks == 1


def test_it_leads_on_when_the_fact_cannot_be_stored(upper: Upper, caplog: pytest.LogCaptureFixture) -> None:
    def broken(**_: object) -> None:
        raise DatabaseError("out of room")

    tracked.connect(broken, weak=False)
    assert click(upper) == TARGET
    assert upper.events() == []
    assert "not stored" in caplog.text


def test_it_stores_in_the_mails_workspace_only(upper: Upper, stranger: User) -> None:
    pixel(upper)
    with workspace(Workspace.objects.exclude(pk=upper.ws.pk).get()):
        assert not Event.objects.exists()


def test_it_takes_no_post(upper: Upper) -> None:
    assert Client().post(pixel_url(upper.ws.pk, upper.key)).status_code == 405
    assert Client().post(click_url(upper.ws.pk, upper.key, TARGET, 1)).status_code == 405


def test_it_keeps_no_address_of_a_visitor() -> None:
    names = {field.name for field in Event._meta.get_fields()}
    assert names == {"id", "workspace", "key", "kind", "source", "link", "at"}
    assert "REMOTE_ADDR" not in "".join(path.read_text() for path in Path("tracking").glob("*.py"))
