"""The preview of one recipient's mail: the very text that would leave, with filled-in values marked.

Marks come from a second rendering in which each value stands between two private characters. They are shown
only when that rendering, without those characters, is the first one to the letter.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString

from outreach import hand_edits, rendering, spinning, templating
from outreach.models import Contact, Enrollment, Site, Step
from outreach.views.merge_fields import label_of, parts_of

_OPEN, _SHUT = "\ue000", "\ue001"
_BETWEEN = re.compile(f"[{_OPEN}{_SHUT}]")
_SHOWN = {
    "p",
    "br",
    "b",
    "strong",
    "i",
    "em",
    "u",
    "s",
    "a",
    "ul",
    "ol",
    "li",
    "blockquote",
    "h3",
    "h4",
    "code",
    "pre",
}
_SHOWN |= {"hr"}


@dataclass(frozen=True)
class Preview:
    """`subject` and `body` are safe HTML; `problem` is set where the text cannot be filled in."""

    subject: str = ""
    body: str = ""
    blanks: tuple[str, ...] = ()
    problem: str = ""
    chooses: bool = False


def preview_of(
    step: Step, contact: Contact, *, turn: int = 0, enrollment: Enrollment | None = None
) -> Preview:
    """`turn` looks at the text's choices so many options on."""
    try:
        edits = hand_edits.of(enrollment)
        exact = rendering.preview(step, contact, turn=turn, by_hand=edits)
        marked = rendering.preview(step, _between(contact), turn=turn, by_hand=edits)
        blanks = [] if step.position in edits else _blanks(step, contact)
    except templating.BadTemplate as bad:
        return Preview(problem=str(bad))
    subject = _chosen(exact.subject, marked.subject)
    if exact.html is None:
        body = _marks(escape(_chosen(exact.text, marked.text))).replace("\n", "<br>")
    else:
        body = _marks(_foot(_plain_links(_clean(_chosen(exact.html, marked.html or "")))))
    return Preview(
        # Escaped, or cleaned by the same rules as what is sent; our own marks are all that is added.
        subject=SafeString(_marks(escape(subject))),  # nosec B703
        body=SafeString(body),  # nosec B703
        blanks=tuple(label_of(name) for name in blanks),
        chooses=step.position not in edits and _chooses(step),
    )


def _blanks(step: Step, contact: Contact) -> list[str]:
    """In every option, as a launch asks: the one that is shown may be whole."""
    campaign = step.campaign
    if campaign.mailbox is None:
        return []
    values = rendering.values_for(contact, mailbox=campaign.mailbox)
    return rendering.blanks_of(_with_opening(step), values, text_only=campaign.text_only)


def _with_opening(step: Step) -> list[Step]:
    return [step] if step.begins_thread else [rendering.opening_of(step), step]


def _chooses(step: Step) -> bool:
    rich = not step.campaign.text_only
    return spinning.has_choices(step.body, html=rich) or any(
        spinning.has_choices(each.subject, html=False) for each in _with_opening(step)
    )


def as_written(html: str) -> SafeString:
    """A step's rich text with fields by their names, for where it cannot be edited."""
    bare = nh3.clean(html, tags=_SHOWN, attributes={}, link_rel=None)
    parts = parts_of(re.sub(r"(</?)a>", r"\1u>", bare), escaped=True)
    # No attribute is left that a field could stand in, and what is not a field has just been cleaned.
    chips = [f'<span class="chip">{escape(part)}</span>' if field else part for part, field in parts]
    return SafeString("".join(chips))  # nosec B703


def _between(contact: Contact) -> Contact:
    """The same person with each value between the two characters; nothing of it is ever stored."""
    copied = copy.copy(contact)
    for name in ("first_name", "name", "company", "source"):
        setattr(copied, name, _wrapped(getattr(contact, name)))
    if contact.site is not None:
        copied.site = Site(domain=_wrapped(contact.site.domain))
    copied.fields = {name: _wrapped(str(value)) for name, value in contact.fields.items()}
    return copied


def _wrapped(value: str) -> str:
    return f"{_OPEN}{value}{_SHUT}" if value.strip() else value


def _chosen(exact: str, marked: str) -> str:
    return marked if _BETWEEN.sub("", marked) == exact else exact


def _marks(text: str) -> str:
    return text.replace(_OPEN, "<mark>").replace(_SHUT, "</mark>")


def _clean(html: str) -> str:
    cleaned: str = nh3.clean(html, tags=_SHOWN, attributes={"a": {"href"}}, link_rel=None)
    return cleaned


def _plain_links(html: str) -> str:
    """Links are shown and not followed: a press in the preview must not leave the page."""
    return re.sub(r"</a>", "</u>", re.sub(r'<a(?: href="([^"]*)")?>', r'<u title="\1">', html))


def _foot(html: str) -> str:
    """The last paragraph is the footer that rendering adds to every mail."""
    before, found, after = html.rpartition("<p>")
    return f'{before}<p class="dim fs11 foot">{after}' if found else html
