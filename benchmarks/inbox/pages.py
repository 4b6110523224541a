"""Which pages of the inbox are measured on the large workspace: states, filters, kinds of search."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Workspace
from accounts.tenancy import uuid7
from benchmarks.inbox.rows import COMMON, LONG, OLD, RARE, long_one
from mailbox.models import Mailbox
from outreach.inbox import listing
from outreach.models import Campaign, Thread


def pages(here: Workspace, client: Client) -> Iterator[tuple[str, str]]:
    inbox = reverse("outreach:inbox", args=[here.slug])

    def at(name: str, **query: str) -> tuple[str, str]:
        return name, f"{inbox}?{urlencode({'show': 'all', **query})}"

    campaign = Campaign.objects.get(name="Bench 3")
    mailbox = str(campaign.mailbox_id)
    others = str(Mailbox.objects.exclude(pk=mailbox).order_by("pk")[0].pk)
    yield at("waiting", show="")
    yield at("snoozed", show="snoozed")
    yield at("done", show="done")
    yield at("all, page 1")
    for page in (100, 2000):
        if (place := _place(page)) is not None:
            yield at(f"all, page {page:,}", after=place)
            yield at(f"back to {page - 1:,}", before=place)
    yield at("mailbox", mailbox=mailbox)
    yield at("project", project=str(campaign.project_id))
    yield at("campaign", campaign=str(campaign.pk))
    yield at("label", label="question")
    yield at("unread", unread="yes")
    yield at("mine", mine="yes")
    yield at("all filters", mailbox=mailbox, campaign=str(campaign.pk), label="question",
             unread="yes", mine="yes", show="")  # fmt: skip
    yield at("done, label, proj.", show="done", label="question", project=str(campaign.project_id))
    # Each holds ten thousands, both together nothing.
    yield at("two that exclude", mailbox=others, campaign=str(campaign.pk))
    for name, words in {
        "no such word": "nowhere", "rare word": RARE, "common word": COMMON, "half common": "word9",
                "1 in 10": "word160", "1 in 100": "word1700",
        "two common": f"{COMMON} word1", "two words": f"{COMMON} word40", "three words": f"word3 word5 {OLD}",
    }.items():  # fmt: skip
        yield at(name, q=words)
    # Without what is snoozed, which stands before all others whatever its age.
    yield at("old ones' word", q=OLD, show="done")
    yield at("common, waiting", q=COMMON, show="")
    yield at("common, label", q=COMMON, label="question", unread="yes")
    yield at("common, exclude", q=COMMON, mailbox=others, campaign=str(campaign.pk))
    yield at("half, mine, old", q=f"word9 {OLD}", mine="yes", show="")
    yield at("old, campaign", q=OLD, campaign=str(campaign.pk), mine="yes")
    if (place := _place(2000)) is not None:
        yield at("common, page 2,000", q=COMMON, after=place)
    yield "list alone", f"{inbox}?live="
    yield "list, unchanged", f"{inbox}?live={_seen(client, f'{inbox}?live=')}"
    yield at("search, unchanged", q=COMMON, live=_seen(client, at("", q=COMMON, live="")[1]))
    thread = Thread.objects.waiting().order_by("-stands_at")[0]
    yield "thread", reverse("outreach:thread", args=[here.slug, thread.pk])
    yield f"thread of {LONG}", reverse("outreach:thread", args=[here.slug, long_one().pk])
    yield "home", reverse("outreach:home", args=[here.slug])
    news = reverse("outreach:inbox_news", args=[here.slug])
    yield "news", f"{news}?mark={Membership.objects.all()[0].pk}"
    yield "no news", f"{news}?mark={uuid7()}"


def _seen(client: Client, path: str) -> str:
    """What an open page says that it has seen: asked with it, the server answers that nothing changed."""
    found = re.search(r"live=([0-9a-f]{20})", client.get(path).content.decode())
    assert found is not None
    return found[1]


def _place(page: int) -> str | None:
    rows = Thread.objects.heard().order_by("-stands_at", "-id")
    found = list(rows[page * listing.PER_PAGE - 1 : page * listing.PER_PAGE])
    return listing.place_of(found[0]) if found else None
