"""From a step's Liquid text to the mail of one person.

The preview and the mail that leaves come from the same lines; the mail adds only what belongs to its key:
the opt-out link, and counted links where the recipient's country and consent let them be (decisions 18).
The footer with the postal address, the reason and the opt-out link is added here and nowhere else, so no
template can leave it out (faults G4, G5).
"""

from __future__ import annotations

import hashlib
import html as entities
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import nh3
from django.conf import settings
from django.db.models import Q
from inscriptis import get_text

from accounts.models import Workspace
from mailbox.models import Mailbox
from mailbox.types import OutgoingEmail
from outreach import attachments, conversation, spinning, suppression, templating
from outreach.models import Basis, Campaign, CampaignKind, Contact, Message, Step
from outreach.problems import Problem
from tracking.instrument import instrument
from tracking.tokens import opt_out_url

# Merge fields that every person has; custom fields of a contact come on top.
FIELDS = {
    "first_name": "First name",
    "name": "Full name",
    "company": "Company",
    "site": "Site",
    "address": "Address",
    "sender_name": "Your name",
    "sender_address": "Your address",
    "links": "Their links to you",
}
LONGEST_SUBJECT = 200
# As it is written, with fields and choices.
LONGEST_WRITTEN_SUBJECT = 1000
_TAGS = {
    "p", "br", "div", "span", "b", "strong", "i", "em", "u", "s", "a", "ul", "ol", "li", "blockquote",
    "h1", "h2", "h3", "h4", "code", "pre", "hr",
}  # fmt: skip
_BODY = "font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:1.5;color:#1c1a17"
_FOOT = "margin-top:24px;font-size:12px;color:#6d685f"
_LINK = re.compile(r'<a\b[^>]*?href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL | re.IGNORECASE)
_EMPTY = re.compile(r"<p>(?:\s|&nbsp;|\xa0)*</p>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Rendered:
    """One mail as it goes out. `blanks` are the fields that came out empty without a fallback."""

    subject: str
    text: str
    html: str | None
    blanks: list[str] = field(default_factory=list)
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ByHand:
    """One person's mail as somebody wrote it over: nothing in it is filled in or chosen any more."""

    subject: str
    body: str


def sanitise(html: str) -> str:
    """The editor's HTML within the allow-list; Liquid tags stay as they are. No images: nothing is loaded."""
    cleaned: str = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    return cleaned


def known_fields(contacts: Sequence[Contact] = ()) -> set[str]:
    """The built-in fields, and the custom ones that any of these people has."""
    return set(FIELDS).union(*(contact.fields for contact in contacts))


def check_template(text: str, *, known: set[str], html: bool = True) -> list[Problem]:
    """Everything in one text that stops a launch."""
    return templating.check(text, known=known, html=html)


def values_for(
    contact: Contact, *, mailbox: Mailbox, links: Sequence[str] = ()
) -> dict[str, str | Sequence[str]]:
    """What each merge field holds for this person; a custom field never hides a built-in one."""
    own = {name: str(value) for name, value in contact.fields.items()}
    return {
        **own,
        "first_name": contact.first_name,
        "name": contact.name,
        "company": contact.company,
        "site": contact.site.domain if contact.site else "",
        "address": contact.address,
        "sender_name": sender_name(mailbox),
        "sender_address": mailbox.address,
        "links": list(links),
    }


def sender_name(mailbox: Mailbox) -> str:
    name: str = mailbox.display_name or mailbox.address.partition("@")[0]
    return name


def blanks_of(steps: Sequence[Step], values: dict[str, str | Sequence[str]], *, text_only: bool) -> list[str]:
    """The fields that would come out empty for this person in any option of the steps. Raises BadTemplate."""
    found: dict[str, None] = {}
    for step in steps:
        parts = [(step.body, not text_only)]
        if step.begins_thread:
            parts.insert(0, (step.subject, False))
        for source, html in parts:
            for text in spinning.variants(source, html=html, fields_only=True):
                # Chosen already: what is left of braces is text.
                found.update(dict.fromkeys(templating.fill_chosen(text, values, html=html)[1]))
    return list(found)


def render_step(
    step: Step,
    contact: Contact,
    *,
    mailbox: Mailbox,
    campaign: Campaign,
    links: Sequence[str] = (),
    first: Step | None = None,
    key: uuid.UUID | None = None,
    opens: bool = False,
    clicks: bool = False,
    turn: int = 0,
    by_hand: Mapping[int, ByHand] | None = None,
) -> Rendered:
    """`first` is the step that began the thread (a follow-up's subject is its "Re: "); found when left out.

    With `key` (the message's id) links and opt-out are live; without, it is the preview of the same text.
    `turn` looks at the choices that many options on; what is sent has none. `by_hand`: what stands for
    a step's text for this person, by its position. Raises templating.BadTemplate.
    """
    values = values_for(contact, mailbox=mailbox, links=links)
    opening = step if step.begins_thread else first or opening_of(step)
    # The campaign's step and the contact: the enrollment and the step, by what also a preview knows.
    wording = spinning.picked(contact.pk, opening.pk, part="subject", turn=turn)
    edits = by_hand or {}
    blanks: list[str] = []
    more: list[str] = []
    if opening.position in edits:
        subject = edits[opening.position].subject
    else:
        subject, blanks = templating.fill(opening.subject, values, html=False, pick=wording)
    subject = one_line(subject)
    if not step.begins_thread:
        subject = conversation.answering(subject)
    index = suppression.index_of(contact.address)
    stop = opt_out_url(contact.workspace_id, key, address_index=index) if key else _preview_link()
    foot = _footer(contact, campaign=campaign, opens=opens, clicks=clicks)
    if step.position in edits:
        body = edits[step.position].body
    else:
        body, more = body_of(step, contact, values=values, html=not campaign.text_only, turn=turn)
    if campaign.text_only:
        text, html = _NOT_TEXT.sub("", body.replace("\r\n", "\n")).strip(), None
    else:
        # Cleaned again: a value may have come to stand inside a link.
        html = _EMPTY.sub("", sanitise(body))
        text = text_of(html)
        html = _document(html, mailbox=mailbox, foot=foot, stop=stop)
        if key and (opens or clicks):
            html = instrument(html, workspace_id=contact.workspace_id, key=key, opens=opens, clicks=clicks)
    return Rendered(
        subject=subject,
        text=_plain(text, mailbox=mailbox, foot=foot, stop=stop),
        html=html,
        blanks=list(dict.fromkeys([*blanks, *more])),
        headers=(("List-Unsubscribe", f"<{stop}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")),
    )


def body_of(
    step: Step,
    contact: Contact,
    *,
    values: Mapping[str, str | Sequence[str]],
    html: bool,
    turn: int = 0,
) -> tuple[str, list[str]]:
    """(the step's text filled in for this person, its blanks), without signature and footer."""
    wording = spinning.picked(contact.pk, step.pk, part="body", turn=turn)
    return templating.fill(step.body, values, html=html, pick=wording)


def opening_of(step: Step) -> Step:
    """The step whose subject this one stands under: its own, or that of the thread that it goes on with."""
    if step.begins_thread:
        return step
    before = Step.objects.filter(campaign=step.campaign_id, position__lt=step.position)
    begins = before.filter(Q(position=1) | Q(new_thread=True)).order_by("-position").first()
    return begins or step


def preview(
    step: Step,
    contact: Contact,
    *,
    links: Sequence[str] = (),
    turn: int = 0,
    by_hand: Mapping[int, ByHand] | None = None,
) -> Rendered:
    """The mail of one person, as it would be frozen, without anything that acts. Raises BadTemplate.

    `turn`: with the choices so many options on, which this person does not get.
    """
    campaign = step.campaign
    if campaign.mailbox is None:
        raise templating.BadTemplate("Choose the mailbox it leaves from first.")
    return render_step(
        step,
        contact,
        mailbox=campaign.mailbox,
        campaign=campaign,
        links=links,
        turn=turn,
        by_hand=by_hand,
    )


def finalise(message: Message) -> OutgoingEmail:
    """The frozen row as the mail that the gateway takes; the send stage adds its place in the thread.

    `message.mailbox` must be set.
    """
    mailbox = message.mailbox
    if mailbox is None:
        raise ValueError(f"message {message.pk} has no mailbox")
    return OutgoingEmail(
        key=str(message.pk),
        sender_address=mailbox.address,
        sender_name=one_line(sender_name(mailbox)),
        to_address=message.to_address,
        to_name=one_line(message.to_name),
        subject=message.subject,
        text=message.text,
        html=message.html,
        headers=conversation.headers_of(message),
        files=attachments.files_of(message),
    )


def one_line(text: str, *, most: int = LONGEST_SUBJECT) -> str:
    """One line without control characters: nothing in it can become a header (threats T19)."""
    return " ".join(_CONTROL.sub(" ", text).split())[:most]


def content_hash(subject: str, text: str, html: str | None) -> str:
    """What the gates looked at, as 64 hexadecimal digits."""
    return hashlib.sha256("\0".join([subject, text, html or ""]).encode()).hexdigest()


def text_of(html: str) -> str:
    """The text alternative: blocks become lines, a link is followed by its address."""

    def spelled(match: re.Match[str]) -> str:
        address, words = match.group(1), match.group(2)
        same = entities.unescape(re.sub(r"<[^>]+>", "", words)).strip() == entities.unescape(address)
        return words if same or not address.startswith("http") else f"{words} ({address})"

    text: str = get_text(_LINK.sub(spelled, html))
    return text.strip()


def _preview_link() -> str:
    return f"{settings.TRACKING_BASE_URL}/u/preview"


@dataclass(frozen=True)
class _Footer:
    address: str
    why: str
    counted: str


def _footer(contact: Contact, *, campaign: Campaign, opens: bool, clicks: bool) -> _Footer:
    here: Workspace = campaign.workspace
    address = ", ".join(part for part in (_sender_of(here), here.postal_address.strip()) if part)
    counted = {
        (True, True): "Image loads and clicks on links are counted.",
        (True, False): "Image loads are counted.",
        (False, True): "Clicks on links are counted.",
    }.get((opens, clicks), "")
    return _Footer(address, why_line(contact, campaign=campaign), counted if not campaign.text_only else "")


def _sender_of(here: Workspace) -> str:
    """The workspace's name, unless its postal address begins with it."""
    return "" if here.postal_address.strip().lower().startswith(here.name.strip().lower()) else here.name


def why_line(contact: Contact, *, campaign: Campaign) -> str:
    """Why this person gets the mail, from what is recorded about them."""
    site = contact.site.domain if contact.site else contact.address.rpartition("@")[2]
    if campaign.kind == CampaignKind.REMOVAL:
        line = f"You get this because pages of {site} link to {campaign.project.website or 'our site'}."
    elif contact.basis == Basis.CONSENT:
        line = f"You get this because you agreed to mail from {campaign.workspace.name}."
    elif contact.basis == Basis.CUSTOMER:
        line = f"You get this because you are a customer of {campaign.workspace.name}."
    else:
        line = f"You get this because we think it concerns your work at {site}."
    return f"{line} How we found you: {contact.source.rstrip('. ')}." if contact.source else line


def _plain(text: str, *, mailbox: Mailbox, foot: _Footer, stop: str) -> str:
    parts = [text]
    if mailbox.signature.strip():
        parts.append(mailbox.signature.strip())
    lines = [foot.address, " ".join(filter(None, [foot.why, foot.counted])), f"Stop these mails: {stop}"]
    parts.append("-- \n" + "\n".join(line for line in lines if line))
    return "\n\n".join(parts) + "\n"


def _document(body: str, *, mailbox: Mailbox, foot: _Footer, stop: str) -> str:
    """A small whole document: inline style only, and nothing that a mail program would have to load."""
    escaped = entities.escape
    signature = ""
    if mailbox.signature.strip():
        signature = "<p>" + "<br>".join(map(escaped, mailbox.signature.strip().splitlines())) + "</p>"
    why = escaped(" ".join(filter(None, [foot.why, foot.counted])))
    return (
        '<!doctype html><html><head><meta charset="utf-8"></head><body>'
        f'<div style="{_BODY}">{body}{signature}'
        f'<p style="{_FOOT}">{escaped(foot.address)}<br>{why}<br>'
        f'<a href="{escaped(stop)}">Stop these mails</a></p></div></body></html>'
    )
