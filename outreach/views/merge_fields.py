"""The merge fields that the editor offers, with how many people would get a blank."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from django.utils.html import strip_tags

from outreach import spinning
from outreach.models import Campaign, CampaignKind, Contact, Step
from outreach.rendering import FIELDS

# Names and addresses are opened one by one for the count, so it looks at the first people only.
MOST_LOOKED_AT = 500
_LIQUID = re.compile(r"{{\s*(\w+).*?}}", re.DOTALL)
_FALLBACK = re.compile(r"""\|\s*default:\s*(["'])(.*?)\1""")
MOST_LETTERS = 90


@dataclass(frozen=True)
class Field:
    """`blank` people of `of` looked at have nothing in it."""

    name: str
    label: str
    blank: int
    of: int


def offered(campaign: Campaign) -> list[Field]:
    """Built-in fields first, then the custom ones of the people in this campaign."""
    people = list(
        Contact.objects.filter(enrollments__campaign=campaign).select_related("site")[:MOST_LOOKED_AT]
    )
    own = sorted({name for person in people for name in person.fields} - set(FIELDS))
    named = {
        name: label
        for name, label in FIELDS.items()
        if name != "links" or campaign.kind == CampaignKind.REMOVAL
    } | {name: label_of(name) for name in own}
    return [
        Field(name, label, sum(1 for person in people if not _value(person, name)), len(people))
        for name, label in named.items()
    ]


def everywhere() -> list[Field]:
    """The built-in fields alone, for a text that belongs to no campaign yet."""
    return [Field(name, label, 0, 0) for name, label in FIELDS.items()]


def label_of(name: str) -> str:
    """What a chip calls a field: "page_title" is "Page title"."""
    return FIELDS.get(name) or name.replace("_", " ").strip().capitalize()


def first_line(step: Step, campaign: Campaign) -> str:
    """The first words of a step for the rail, fields by their names."""
    return first_words(step.body, html=not campaign.text_only) or "No text yet"


def first_words(text: str, *, html: bool) -> str:
    """As many words as a line takes, fields by their names."""
    text = spinning.choose(text, spinning.first, html=html)
    bare = unescape(strip_tags(re.sub(r"</(p|div|li|h\d)>|<br[^>]*>", " ", text))) if html else text
    words = " ".join(_LIQUID.sub(lambda match: label_of(match[1]), bare).split())
    if len(words) <= MOST_LETTERS:
        return words
    whole = words[:MOST_LETTERS].rpartition(" ")[0] or words[: MOST_LETTERS - 1]
    return f"{whole.rstrip(' ,;:')}…"


def parts_of(text: str, *, escaped: bool = False) -> list[tuple[str, bool]]:
    """A line in its parts, with True for a field by its name: what the editor shows as a chip."""
    parts, at = [], 0
    for match in _LIQUID.finditer(text):
        fallback = _FALLBACK.search(unescape(match[0]) if escaped else match[0])
        name = label_of(match[1]) + (f" or “{fallback[2]}”" if fallback else "")
        parts += [(text[at : match.start()], False), (name, True)]
        at = match.end()
    return [part for part in [*parts, (text[at:], False)] if part[0]]


def _value(person: Contact, name: str) -> str:
    if name in ("first_name", "name", "company", "address"):
        return str(getattr(person, name)).strip()
    if name == "site":
        return person.site.domain if person.site else ""
    if name in FIELDS:
        return "the mailbox fills it"
    return str(person.fields.get(name, "")).strip()
