"""SPF, DKIM and DMARC of a sender's domain: what the name servers say, and unknown where they say nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

from accounts import outbound
from mailbox import domains
from mailbox.domains import Found
from mailbox.models import Mailbox, Provider
from tests.mailbox.name_server import SILENT, NameServer, name_server

HOME = "fernhill-outdoor.com"
GOOGLE = f"mira@{HOME}"
KEY = "v=DKIM1; k=rsa; p=MIIBIjANBg"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    cache.clear()
    monkeypatch.setattr(domains, "SECONDS", 1.0)
    with name_server(monkeypatch) as here:
        yield here


def box(address: str = GOOGLE, provider: str = Provider.GOOGLE) -> Mailbox:
    return Mailbox(provider=provider, address=address, subject="s")


def complete(names: NameServer) -> None:
    names.txt(HOME, "v=spf1 include:_spf.google.com ~all", "google-site-verification=x")
    names.txt(f"google._domainkey.{HOME}", KEY)
    names.txt(f"_dmarc.{HOME}", "v=DMARC1; p=quarantine; rua=mailto:d@fernhill-outdoor.com")


def said(standing: domains.Standing) -> dict[str, tuple[str, str]]:
    return {str(record.name): (str(record.found), record.why) for record in standing.records}


def test_it_finds_all_three_in_order(names: NameServer) -> None:
    complete(names)
    standing = domains.look(box())
    assert said(standing) == {
        "SPF": ("good", "spf_names"), "DKIM": ("good", "dkim_key"), "DMARC": ("good", "dmarc_policy"),
    }  # fmt: skip
    assert standing.is_good
    assert "p=quarantine" in standing.records[2].sentence
    assert [record.todo for record in standing.records] == ["", "", ""]


def test_it_finds_nothing_and_says_what_to_do(names: NameServer) -> None:
    standing = domains.look(box())
    assert said(standing) == {
        "SPF": ("missing", "spf_none"), "DKIM": ("missing", "dkim_none"), "DMARC": ("missing", "dmarc_none"),
    }  # fmt: skip
    spf, dkim, dmarc = standing.records
    assert "include:_spf.google.com" in spf.todo
    assert f"google._domainkey.{HOME}" in dkim.sentence
    assert f"_dmarc.{HOME}" in dmarc.todo
    assert not standing.is_good


@pytest.mark.parametrize(
    ("records", "why"),
    [
        (["v=spf1 include:mail.other.com -all"], "spf_other"),
        (["v=spf1 -include:_spf.google.com ~all"], "spf_other"),
        (["v=spf1 include:_spf.google.com ~all", "v=spf1 mx -all"], "spf_several"),
        (["v=spf10 include:_spf.google.com"], "spf_none"),
        (["V=SPF1 INCLUDE:_SPF.Google.com ~all"], "spf_names"),
        (["v=spf1 redirect=_spf.google.com"], "spf_names"),
        (["v=spf1 include:own.other.com ~all"], "spf_names"),
        (["v=spf1 include:circle.other.com ~all"], "spf_other"),
        (["v=spf1 include:%{d}.other.com ~all"], "spf_unclear"),
        (["v=spf1 include:dead.other.com ~all"], "not_asked"),
    ],
)
def test_it_reads_spf_with_all_that_it_includes(names: NameServer, records: list[str], why: str) -> None:
    complete(names)
    names.txt(HOME, *records)
    names.txt("mail.other.com", "v=spf1 ip4:198.51.100.7 -all")
    names.txt("own.other.com", "v=spf1 ?include:_spf.google.com -all")
    names.txt("circle.other.com", "v=spf1 include:circle.other.com -all")
    names.records["dead.other.com", "TXT"] = [SILENT]
    found = domains.look(box()).records[0]
    assert found.why == why
    assert (found.found == Found.GOOD) == (why == "spf_names")


def test_it_stops_after_the_ten_look_ups_that_a_receiver_makes(names: NameServer) -> None:
    complete(names)
    names.txt(HOME, "v=spf1 " + " ".join(f"include:n{n}.other.com" for n in range(40)) + " ~all")
    assert domains.look(box()).records[0].why == "spf_other"
    assert sum(".other.com" in name for name, _ in names.asked) == 10


def test_it_reads_a_record_that_is_cut_in_pieces(names: NameServer) -> None:
    complete(names)
    names.records[HOME, "TXT"] = ['"v=spf1 include:_spf" ".google.com ~all"']
    assert domains.look(box()).records[0].found == Found.GOOD


@pytest.mark.parametrize(
    ("key", "why"), [("v=DKIM1; p=", "dkim_empty"), ("hello", "dkim_none"), ("k=rsa; p=MIIB", "dkim_key")]
)
def test_it_takes_only_a_key_for_a_key(names: NameServer, key: str, why: str) -> None:
    complete(names)
    names.txt(f"google._domainkey.{HOME}", key)
    assert domains.look(box()).records[1].why == why


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("selector1-fernhill-outdoor-com._domainkey.fernhill.onmicrosoft.com.", "good"),
        ("selector1-fernhill-outdoor-com._domainkey.fernhill.n-v1.dkim.mail.microsoft.", "good"),
        ("selector1.somebody-else.com.", "missing"),
        ("selector1.notonmicrosoft.com.", "missing"),
        ("", "missing"),
    ],
)
def test_it_follows_microsofts_name_to_microsoft(names: NameServer, target: str, found: str) -> None:
    complete(names)
    names.txt(HOME, "v=spf1 include:spf.protection.outlook.com -all")
    if target:
        names.records[f"selector1._domainkey.{HOME}", "CNAME"] = [target]
    standing = domains.look(box(provider=Provider.MICROSOFT))
    assert standing.records[0].found == Found.GOOD
    assert standing.records[1].found == found


@pytest.mark.parametrize(
    ("records", "why"),
    [
        (["v=DMARC1; p=none"], "dmarc_policy"),
        (["v=DMARC1;p=reject"], "dmarc_policy"),
        (["v=DMARC1; rua=mailto:a@b.com"], "dmarc_broken"),
        (["v=DMARC1; p=maybe"], "dmarc_broken"),
        (["p=reject; v=DMARC1"], "dmarc_none"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "dmarc_several"),
    ],
)
def test_it_reads_the_policy(names: NameServer, records: list[str], why: str) -> None:
    complete(names)
    names.txt(f"_dmarc.{HOME}", *records)
    assert domains.look(box()).records[2].why == why


def test_a_part_of_a_domain_has_the_policy_of_the_whole(names: NameServer) -> None:
    names.txt(f"_dmarc.{HOME}", "v=DMARC1; p=reject; sp=none")
    found = domains.look(box(f"mira@mail.{HOME}")).records[2]
    assert (found.found, "p=none" in found.sentence) == (Found.GOOD, True)
    assert ("_dmarc.com", "TXT") not in names.asked


def test_unknown_is_never_good(names: NameServer) -> None:
    for name in (HOME, f"google._domainkey.{HOME}", f"_dmarc.{HOME}"):
        names.records[name, "TXT"] = [SILENT]
    standing = domains.look(box())
    assert {record.found for record in standing.records} == {Found.UNKNOWN}
    assert not standing.is_good


@pytest.mark.parametrize("address", ["mira@gmail.com", "mira@outlook.com"])
def test_a_private_account_needs_none_of_it(names: NameServer, address: str) -> None:
    standing = domains.known(box(address))
    assert standing is not None
    assert standing.is_good
    assert standing.records == ()
    assert domains.look(box(address)) == standing
    assert names.asked == []


@pytest.mark.parametrize("address", ["mira@fernhill.example", "mira@fernhill.test", "mira@localhost"])
def test_it_asks_nobody_about_a_name_that_cannot_be_public(names: NameServer, address: str) -> None:
    assert {record.why for record in domains.look(box(address)).records} == {"no_public_name"}
    assert names.asked == []


def test_it_asks_once_in_some_hours(names: NameServer) -> None:
    complete(names)
    assert domains.known(box()) is None
    first = domains.look(box())
    asked = len(names.asked)
    assert domains.known(box()) == first == domains.look(box())
    assert len(names.asked) == asked
    assert domains.known(box(provider=Provider.MICROSOFT)) is None
    assert not any(HOME.encode() in key for key in cache._cache.get_client().keys("*"))  # type: ignore[attr-defined]


def test_it_asks_again_soon_what_nobody_answered(names: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[float] = []
    monkeypatch.setattr("mailbox.domains.cache.set", lambda key, value, timeout: kept.append(timeout))
    names.records[HOME, "TXT"] = [SILENT]
    domains.look(box())
    complete(names)
    domains.look(box())
    assert kept == [domains.SOON, domains.LASTS]


def test_it_works_without_redis(names: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object, **__: object) -> None:
        raise RedisError

    monkeypatch.setattr("mailbox.domains.cache.get", down)
    monkeypatch.setattr("mailbox.domains.cache.set", down)
    complete(names)
    assert domains.known(box()) is None
    assert domains.look(box()).is_good


def test_the_door_writes_down_what_it_asked(names: NameServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "outreach.outbound")
    complete(names)
    domains.look(box())
    lines = [record.getMessage() for record in caplog.records]
    assert f"purpose=domain host=_dmarc.{HOME} address=- " in "\n".join(lines)
    assert len(lines) == 3


@pytest.mark.django_db(transaction=True)
def test_the_door_asks_no_name_inside_a_transaction(names: NameServer) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        outbound.records(HOME, "TXT", purpose=outbound.Purpose.DOMAIN, seconds=1)
