"""What the palette finds by a word: campaigns, projects, texts, sites, mailboxes, and people by an address.

Names of people and addresses are ciphertext, so a person is found by the whole address alone; a site by the
beginning of its domain, which its index gives. Each kind gives a few, whatever there is.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from mailbox.models import Mailbox
from outreach.models import Campaign, CampaignKind, Contact, Project, SavedText, Site
from outreach.models.contacts import address_index

MOST = 4
LEAST_LETTERS = 2
LONGEST = 254
# Their addresses have to be opened, one by one.
MOST_MAILBOXES = 100


@dataclass(frozen=True)
class Hit:
    """`place` is the name of an address that takes `pk`."""

    kind: str
    label: str
    detail: str
    place: str
    pk: object


def find(asked: str) -> list[Hit]:
    """At most MOST of each kind; nothing for fewer than LEAST_LETTERS."""
    word = " ".join(asked.replace("\x00", "").split())[:LONGEST]
    if len(word) < LEAST_LETTERS:
        return []
    kinds = (_people, _campaigns, _projects, _sites, _texts, _mailboxes)
    return [hit for kind in kinds for hit in kind(word)]


def _people(word: str) -> list[Hit]:
    if "@" not in word:
        return []
    rows = Contact.objects.filter(address_index=address_index(word))[:MOST]
    return [Hit("person", row.name or row.address, row.address, "contact", row.pk) for row in rows]


def _campaigns(word: str) -> list[Hit]:
    rows: QuerySet[Campaign] = Campaign.objects.filter(kind=CampaignKind.OUTREACH, name__icontains=word)
    rows = rows.order_by("-created_at", "-id")[:MOST]
    return [Hit("campaign", row.name, row.get_state_display(), "campaign", row.pk) for row in rows]


def _projects(word: str) -> list[Hit]:
    rows = Project.objects.filter(Q(name__icontains=word) | Q(website__icontains=word)).order_by("name")
    return [Hit("project", row.name, row.website, "project", row.pk) for row in rows[:MOST]]


def _sites(word: str) -> list[Hit]:
    domain = word.lower().partition("@")[2] or word.lower().removeprefix("www.")
    rows = Site.objects.filter(domain__startswith=domain).order_by("domain")[:MOST] if domain else []
    return [Hit("site", row.domain, "", "site", row.pk) for row in rows]


def _texts(word: str) -> list[Hit]:
    rows = SavedText.objects.filter(name__icontains=word).order_by("name")[:MOST]
    return [Hit("text", row.name, row.folder, "library_text", row.pk) for row in rows]


def _mailboxes(word: str) -> list[Hit]:
    rows = Mailbox.objects.live().order_by("connected_at")[:MOST_MAILBOXES]
    found = [row for row in rows if word.lower() in f"{row.address} {row.display_name or ''}".lower()]
    return [Hit("mailbox", row.address, row.display_name or "", "mailbox", row.pk) for row in found[:MOST]]
