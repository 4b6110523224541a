"""The composer's checks: the sender's domain, hints about the text, and who is held back for what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User, Workspace
from mailbox import domains
from outreach.models import Campaign
from tests import factories
from tests.mailbox.name_server import NameServer, name_server

HOME = "fernhill-outdoor.com"


@pytest.fixture
def client(signed_in: Callable[[User], Client], member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    cache.clear()
    with name_server(monkeypatch) as here:
        yield here


def url(ws: Workspace, campaign: Campaign, path: str) -> str:
    return f"/w/{ws.slug}/campaigns/{campaign.pk}/{path}"


def of_home() -> Campaign:
    mailbox = factories.make_mailbox(address=f"mira@{HOME}")
    return factories.make_campaign(mailbox=mailbox, contacts=[factories.make_contact()])


def test_it_looks_a_domain_up_behind_the_page_and_says_what_to_do(
    client: Client, in_ws: Workspace, names: NameServer
) -> None:
    names.txt(HOME, "v=spf1 include:_spf.google.com ~all")
    campaign = of_home()
    page = client.get(url(in_ws, campaign, "compose/")).content.decode()
    assert f"SPF, DKIM and DMARC of {HOME} are being looked up." in page
    assert "look=domain" in page
    assert names.asked == []
    after = client.get(url(in_ws, campaign, "compose/checks/") + "?step=1&look=domain").content.decode()
    assert f"SPF of {HOME} names Google." in after
    assert f"{HOME} has no DMARC record." in after
    assert "This does not stop the queue." in after
    assert "look=domain" not in after
    asked = len(names.asked)
    again = client.get(url(in_ws, campaign, "compose/")).content.decode()
    assert f"{HOME} has no DMARC record." in again
    assert len(names.asked) == asked


def test_it_asks_no_second_time_by_itself_where_nothing_can_be_kept(
    client: Client, in_ws: Workspace, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domains, "known", lambda _: None)
    after = client.get(url(in_ws, of_home(), "compose/checks/") + "?look=domain").content.decode()
    assert f"SPF, DKIM and DMARC of {HOME} could not be looked up." in after
    assert "look=domain" not in after


def test_a_mailbox_s_page_says_it_too(client: Client, in_ws: Workspace, names: NameServer) -> None:
    mailbox = factories.make_mailbox(address=f"mira@{HOME}")
    place = f"/w/{in_ws.slug}/mailboxes/{mailbox.pk}/"
    assert "are being looked up" in client.get(place).content.decode()
    assert names.asked == []
    part = client.get(place + "?part=domain").content.decode()
    assert f"{HOME} has no SPF record." in part
    assert "include:_spf.google.com" in part
    assert f"{HOME} has no SPF record." in client.get(place).content.decode()


def test_a_private_account_passes(client: Client, in_ws: Workspace, names: NameServer) -> None:
    mailbox = factories.make_mailbox(address="mira@gmail.com")
    campaign = factories.make_campaign(mailbox=mailbox)
    page = client.get(url(in_ws, campaign, "compose/")).content.decode()
    assert "gmail.com is Google’s own" in page
    assert names.asked == []


def test_what_cannot_be_known_is_said_in_one_line_and_not_as_passed(client: Client, in_ws: Workspace) -> None:
    page = client.get(url(in_ws, factories.make_campaign(), "compose/")).content.decode()
    assert page.count("SPF, DKIM and DMARC of fernhill.example are not known") == 1
    assert "DMARC of fernhill.example stand" not in page


def test_a_hint_names_its_line_and_stops_nothing(client: Client, in_ws: Workspace) -> None:
    body = "<p>Hello</p><p>Act now, please</p>"
    people = [factories.make_contact()]
    page = client.get(
        url(in_ws, factories.make_campaign(steps=[("A map", body)], contacts=people), "compose/")
    ).content.decode()
    assert "Filters dislike “Act now”." in page
    assert "Step 1, line 2. This does not stop the queue." in page
    assert "Queue 1 <" in page


def test_see_leads_to_the_people_who_are_held_back_for_it(client: Client, in_ws: Workspace) -> None:
    ready = factories.make_contact("anselm@ridge.example", first_name="Anselm", company="Almanac")
    blank = factories.make_contact("brisa@long-way.example", first_name="Brisa")
    gone = factories.make_contact("cato@gone.example", first_name="Cato", company="Gone")
    factories.make_suppression("cato@gone.example", reason="opted_out")
    campaign = factories.make_campaign(
        steps=[("Hello", "<p>At {{ company }}</p>")], contacts=[ready, blank, gone]
    )
    page = client.get(url(in_ws, campaign, "compose/")).content.decode()
    assert "people/?held=blank%3Acompany#in-it" in page
    held = client.get(url(in_ws, campaign, "people/") + "?held=blank%3Acompany").content.decode()
    listed = held[held.index('id="in-it"') :]
    assert "Company is blank here" in listed
    assert "brisa@long-way.example" in listed
    assert f"/contacts/{blank.pk}/" in listed
    assert "anselm@" not in listed
    assert "cato@" not in listed
    blank.company = "Long way"
    blank.save()
    held = client.get(url(in_ws, campaign, "people/") + "?held=blank%3Acompany").content.decode()
    assert "Nobody is held back for this any more." in held
    every = client.get(url(in_ws, campaign, "people/")).content.decode()
    assert "anselm@ridge.example" in every[every.index('id="in-it"') :]
