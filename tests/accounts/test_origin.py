"""From where an act comes: cut addresses, a country only with a database, kinds of devices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks
from django.test import RequestFactory

from accounts import geo, origin
from accounts.devices import LONGEST, UNKNOWN, kind_of
from tests.accounts import mmdb

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"  # fmt: skip  # noqa: E501
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("not an address", ""),
        ("", ""),
    ],
)
def test_it_keeps_a_network_and_never_an_address(address: str, network: str) -> None:
    assert origin.network_of(address) == network


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (CHROME, "Chrome on Windows"),
        (IPHONE, "Mobile Safari on iOS"),
        ("curl/8.5.0", "curl"),
        ("", UNKNOWN),
        ("\x00<script>", UNKNOWN),
    ],
)
def test_it_names_a_device_by_its_kind(agent: str, kind: str) -> None:
    assert kind_of(agent) == kind


def test_it_bounds_what_a_browser_says_of_itself() -> None:
    for agent in ("x" * 100_000, CHROME * 500, "Evil<b>Bot/1.0 (" + "y" * 300 + ")"):
        kind = kind_of(agent)
        assert len(kind) <= LONGEST
        assert not set(kind) & set("<>\"'&\x00")


@pytest.fixture
def countries(tmp_path: Path, settings: LazySettings) -> Path:
    path = mmdb.write(
        tmp_path / "countries.mmdb",
        {
            "203.0.113.0/24": {"country": {"iso_code": "DE"}, "city": {"name": "Kingfisher"}},
            "2001:db8::/32": {"country": {"iso_code": "FR"}},
            "198.51.100.0/24": {"country": {"iso_code": "<script>"}},
            "192.0.2.0/24": {"country": "nowhere"},
        },
    )
    settings.GEOIP_DATABASE = str(path)
    return path


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("203.0.113.9", "DE"),
        ("2001:db8::9", "FR"),
        ("198.51.100.9", ""),
        ("192.0.2.9", ""),
        ("10.0.0.1", ""),
        ("nonsense", ""),
    ],
)
def test_it_finds_the_country_and_no_place(countries: Path, address: str, code: str) -> None:
    assert geo.country_of(address) == code


def test_it_finds_no_country_without_a_database(settings: LazySettings) -> None:
    settings.GEOIP_DATABASE = ""
    assert geo.country_of("203.0.113.9") == ""


def test_it_refuses_to_start_with_a_database_that_does_not_open(
    tmp_path: Path, settings: LazySettings
) -> None:
    for name, content in (("missing.mmdb", None), ("bad.mmdb", b"no database")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        settings.GEOIP_DATABASE = str(tmp_path / name)
        assert [problem.id for problem in run_checks() if problem.id == "outreach.E029"] == ["outreach.E029"]
        assert geo.country_of("203.0.113.9") == ""


def seen(rf: RequestFactory, **meta: Any) -> origin.Origin:
    """What a view sees as its origin."""
    found: list[origin.Origin] = []

    def view(request: Any) -> Any:
        found.append(origin.current())
        return None

    origin.OriginMiddleware(view)(rf.get("/", **meta))
    assert origin.current() == origin.NOWHERE
    return found[0]


def test_it_opens_the_origin_for_a_request_only(rf: RequestFactory, countries: Path) -> None:
    here = seen(rf, REMOTE_ADDR="203.0.113.77", HTTP_USER_AGENT=CHROME)
    assert here == origin.Origin("203.0.113.0/24", "DE", "Chrome on Windows", "", origin.ActorKind.PERSON)


def test_it_believes_a_forwarded_address_only_behind_a_proxy(
    rf: RequestFactory, settings: LazySettings
) -> None:
    meta = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.77"}
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
    assert seen(rf, **meta).place == "10.0.0.0/24"
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert seen(rf, **meta).place == "203.0.113.0/24"
    assert seen(rf, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="'; DROP").place == ""


def test_it_acts_under_a_key_from_where_the_request_comes() -> None:
    place = origin.Origin("203.0.113.0/24", "DE", "curl", "", origin.ActorKind.PERSON)
    with origin.origin(place):
        with origin.under(credential="out_key_abcdef"):
            here = origin.current()
            assert (here.place, here.credential) == ("203.0.113.0/24", "out_key_abcdef")
            assert here.actor_kind == origin.ActorKind.KEY
        assert origin.current() == place
    assert origin.current() == origin.NOWHERE
