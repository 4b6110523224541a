"""The List-Unsubscribe address of a real mail, with the layer above in place."""

from __future__ import annotations

import re

from django.test import Client

from accounts.models import Workspace
from outreach import suppression
from outreach.models import Contact, Message
from outreach.rendering import render_step
from tests import factories

ADDRESS = "ana@harbour-news.example"


def mail(in_ws: Workspace) -> tuple[Message, str]:
    """A waiting mail to ADDRESS, and the address in its header."""
    mailbox, contact = factories.make_mailbox(), factories.make_contact(ADDRESS, first_name="Ana")
    campaign = factories.make_campaign(mailbox=mailbox)
    message = factories.make_message(factories.make_enrollment(campaign, contact))
    rendered = render_step(
        campaign.steps.get(position=1),
        contact,
        mailbox=mailbox,
        campaign=campaign,
        key=message.pk,
        opens=True,
        clicks=True,
    )
    header = dict(rendered.headers)
    assert header["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert rendered.html is not None
    url = header["List-Unsubscribe"].strip("<>")
    assert url in rendered.html
    assert url in rendered.text
    assert not re.search(r"/[oc]/", rendered.text)
    return message, url


def one_click(url: str) -> int:
    answer = Client(enforce_csrf_checks=True).post(
        url, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    return answer.status_code


def test_it_blocks_the_address_and_stops_what_waits_within_the_request(in_ws: Workspace) -> None:
    message, url = mail(in_ws)
    assert Client().get(url).status_code == 200
    assert suppression.is_suppressed(ADDRESS) is None
    assert one_click(url) == 200
    assert suppression.is_suppressed(ADDRESS) is not None
    message.refresh_from_db()
    assert message.state == "suppressed"
    assert b'value="stop"' not in Client().get(url).content


def test_it_blocks_the_address_after_mail_and_contact_were_erased(in_ws: Workspace) -> None:
    message, url = mail(in_ws)
    message.delete()
    Contact.objects.all().delete()
    assert one_click(url) == 200
    found = suppression.is_suppressed(ADDRESS)
    assert found is not None
    assert found.value is None
    assert one_click(url) == 200


def test_it_blocks_the_whole_company_when_asked(in_ws: Workspace) -> None:
    _, url = mail(in_ws)
    assert Client().post(url, {"act": "stop_company"}).status_code == 200
    assert suppression.is_suppressed("somebody@harbour-news.example") is not None
    assert suppression.is_suppressed("somebody@other.example") is None
