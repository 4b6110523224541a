"""Classes of visitors, told from simulated requests of each kind."""

from __future__ import annotations

import pytest
from django.http.request import HttpHeaders

from tests.tracking.conftest import BROWSER, FIREFOX
from tracking.models import Kind, Source
from tracking.scanners import Visit, classify, opts_out_of_counting

GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)"
SAFARI_OLD = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/15.1"


def headers(values: dict[str, str]) -> HttpHeaders:
    return HttpHeaders({f"HTTP_{name.upper().replace('-', '_')}": value for name, value in values.items()})


def seen(
    kind: Kind, agent: str = "", *, method: str = "GET", after: float | None = 300, **more: str
) -> Source:
    given = {"User-Agent": agent, **{name.replace("_", "-"): value for name, value in more.items()}}
    return classify(kind, Visit(method, headers(given), after), soonest=10)


@pytest.mark.parametrize(
    ("agent", "source"),
    [
        (GMAIL, Source.PROXY),
        (YAHOO, Source.PROXY),
        ("Mozilla/5.0", Source.PRIVACY),
        ("", Source.SCANNER),
        ("python-requests/2.32", Source.SCANNER),
        ("Barracuda Sentinel (EE)", Source.SCANNER),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", Source.SCANNER),
        (FIREFOX, Source.HUMAN),
        (OUTLOOK, Source.HUMAN),
    ],
)
def test_it_tells_who_loaded_an_image(agent: str, source: Source) -> None:
    assert seen(Kind.OPENED, agent) == source


def test_it_takes_apples_name_with_a_referrer_for_no_privacy_proxy() -> None:
    assert seen(Kind.OPENED, "Mozilla/5.0", Referer="https://mail.example/") == Source.HUMAN


@pytest.mark.parametrize(
    ("agent", "source"),
    [
        (FIREFOX, Source.PROXY),
        (SAFARI_OLD, Source.PROXY),
        ("Mozilla/5.0", Source.SCANNER),
        (GMAIL, Source.SCANNER),
        ("", Source.SCANNER),
        ("curl/8.5.0", Source.SCANNER),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 HeadlessChrome/120.0", Source.SCANNER),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 SkypeUriPreview", Source.SCANNER),
        (OUTLOOK, Source.SCANNER),
    ],
)
def test_it_takes_no_click_for_a_persons_without_a_browsers_word(agent: str, source: Source) -> None:
    if agent == GMAIL:
        source = Source.PROXY
    assert seen(Kind.CLICKED, agent) == source


def test_it_takes_a_browsers_navigation_for_a_persons() -> None:
    assert classify(Kind.CLICKED, Visit("GET", headers(BROWSER), 300), soonest=10) == Source.HUMAN
    assert classify(Kind.CLICKED, Visit("GET", headers(BROWSER), None), soonest=10) == Source.HUMAN


@pytest.mark.parametrize(("method", "after"), [("HEAD", 300), ("GET", 9.9), ("GET", -3)])
def test_it_takes_a_head_or_a_hasty_visit_for_a_scanners(method: str, after: float) -> None:
    for kind in (Kind.OPENED, Kind.CLICKED):
        assert classify(kind, Visit(method, headers(BROWSER), after), soonest=10) == Source.SCANNER


@pytest.mark.parametrize("header", ["Purpose", "Sec-Purpose", "X-Purpose", "X-Moz"])
def test_it_takes_a_prefetch_for_a_scanners(header: str) -> None:
    visit = Visit("GET", headers({**BROWSER, header: "prefetch;prerender"}), 300)
    assert classify(Kind.CLICKED, visit, soonest=10) == Source.SCANNER


def test_it_hears_do_not_track_and_global_privacy_control() -> None:
    assert opts_out_of_counting(headers({"DNT": "1"}))
    assert opts_out_of_counting(headers({"Sec-GPC": "1"}))
    assert not opts_out_of_counting(headers({"DNT": "0"}))
