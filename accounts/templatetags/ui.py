"""Template tags of every page; settings.py makes them built-in, so no `{% load %}` is needed.

Tags
    {% icon "trash" %}  {% icon "send" "s" %}  {% icon "info-circle" "l" label="Note" %}
        an icon of static/vendor/icons.txt; size "s" 14 px, "" 16 px, "l" 20 px; without a label it is
        hidden from screen readers
    {% state "g" "replied" "Interested" %}  {% state tone mark words pill=True %}  {% state … hide=True %}
        mark of static/status.svg + words; tones n m g w b d (neutral, motion, good, warn, bad, doubt);
        `hide` keeps the words for screen readers only, for where a sentence follows
    {% mark "quiet" %}
        the bare mark of static/status.svg
    {% evidence "accepted quiet replied" %}  {% evidence steps %}
        the five-bar ladder; steps are words, or a list of: accepted quiet opened clicked replied bounced
        doubt. A number is a rung: 0 nothing, 1 accepted, 2 quiet, 3 opened, 4 clicked, 5 replied, where
        "opened" is never implied by a higher one
    {% avatar person_or_name %}  {% avatar name "l" %}
        round initials with a steady tone
    {% place "inbox" "Inbox" "inbox" "outreach:inbox" "i" %}
        one entry of the navigation; nothing where the address does not exist (yet)

Filters
    moment|when      <time>: 14:06 today, 22 Nov 14:06 within a week, else 3 Nov or 3 Nov 2025
    moment|ago       <time>: "12 min", "2 h", "yesterday", within a week "4 days", else the date
    moment|exact     <time>: 24 Nov 2026 14:06:11
    moment|instant   <time>: 14:06:11.214, for receipts
    moment|day       "Tuesday 24 November" (the year when it is not this one)
    name|initials    "Mi"          name|avatar_tone   "", "av-2", "av-3" or "av-4"
    number|plural:"mail"  "1 mail", "1,204 mails"     number|plural:"reply,replies"
    number|whole:total    "21 of 112"

The server writes UTC; static/time.js writes the same moment in the reader's own zone.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

SPRITE = "vendor/tabler-icons/3.51.0/sprite.svg"
ICONS = frozenset((Path(settings.BASE_DIR) / "static/vendor/icons.txt").read_text().split())
SIZES = {"": "i", "s": "i i-s", "l": "i i-l"}
TONES = frozenset("nmgwbd")
MARKS = frozenset(
    [
        "accepted",
        "attention",
        "auto",
        "bounced",
        "cancelled",
        "clicked",
        "doubt",
        "held",
        "live",
        "minus",
        "opened",
        "planned",
        "queued",
        "quiet",
        "refused",
        "replied",
        "sending",
        "suppressed",
    ]
)
STEPS = {
    "accepted": "Accepted",
    "quiet": "No bounce after 72 h",
    "opened": "Opened (may be automatic)",
    "clicked": "Clicked",
    "replied": "Replied",
}
BARS = [
    ("0.0", "9.0", "4.0"),
    ("4.9", "6.9", "6.1"),
    ("9.8", "4.8", "8.2"),
    ("14.7", "2.7", "10.3"),
    ("19.6", "0.6", "12.4"),
]
# Url names of pages below a place, by their beginning.
BELOW = {
    "home": "home",
    "inbox": "inbox",
    "thread": "inbox",
    "reply": "inbox",
    "task": "tasks",
    "campaign": "campaigns",
    "project": "campaigns",
    "enrollment": "campaigns",
    "step": "campaigns",
    "doubt": "campaigns",
    "holiday": "campaigns",
    "library": "campaigns",
    "example": "campaigns",
    "removal": "removals",
    "contact": "contacts",
    "site": "sites",
    "case": "sites",
    "mailbox": "mailboxes",
    "connect": "mailboxes",
    "receipt": "mailboxes",
    "suppress": "suppressions",
    "activity": "activity",
    "settings": "settings",
    "member": "members",
    "leave": "members",
    "invitation": "members",
}


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    if name not in ICONS:
        raise template.TemplateSyntaxError(f"{name!r} is not in static/vendor/icons.txt")
    known = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    shape = _drawing(SPRITE, name)
    return format_html('<svg class="{}" {}><use href="{}"/></svg>', SIZES[size], known, shape)


@register.simple_tag
def mark(name: str) -> SafeString:
    if name not in MARKS:
        raise template.TemplateSyntaxError(f"{name!r} is not a mark of static/status.svg")
    return format_html('<svg aria-hidden="true"><use href="{}"/></svg>', _drawing("status.svg", name))


@functools.cache
def _drawing(sheet: str, name: str) -> str:
    """Its address. A page asks for up to two hundred, of the few dozen that there are."""
    return f"{static(sheet)}#{name}"


@register.simple_tag
def state(tone: str, name: str, words: object, pill: bool = False, hide: bool = False) -> SafeString:
    if tone not in TONES:
        raise template.TemplateSyntaxError(f"{tone!r} is not a tone: n m g w b d")
    return format_html(
        '<span class="st {}{}">{}<span class="{}">{}</span></span>',
        tone, " pill" if pill else "", mark(name), "vh" if hide else "cut", words,
    )  # fmt: skip


@register.simple_tag
def evidence(steps: str | int | Iterable[str] | None = ()) -> SafeString:
    known = _known(steps)
    tones = {name: ("weak" if name == "opened" else "on") if name in known else "" for name in STEPS}
    words = ", ".join(label for name, label in STEPS.items() if name in known) or "Nothing sent yet"
    if known == {"accepted"}:
        tones["accepted"] = "sent"
    if "bounced" in known:
        tones, words = {"accepted": "stop"}, "Bounced"
    elif "doubt" in known:
        tones, words = {"accepted": "ask"}, "Outcome not known"
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="3.6" height="{}" rx="1" class="{}"/>',
        ((*bar, tones.get(name, "")) for bar, name in zip(BARS, STEPS, strict=True)),
    )
    return format_html(
        '<svg class="ladder" viewBox="0 0 24 13" role="img"><title>{}</title>{}</svg>', words, bars
    )


def _known(steps: str | int | Iterable[str] | None) -> set[str]:
    if isinstance(steps, int):
        return {"accepted", "quiet", list(STEPS)[steps - 1]} if steps > 1 else set(list(STEPS)[:steps])
    return set(steps.split() if isinstance(steps, str) else steps or ())


@register.simple_tag
def avatar(who: object, size: str = "") -> SafeString:
    name = _name_of(who)
    classes = " ".join(filter(None, ["av", avatar_tone(name), "av-l" if size == "l" else ""]))
    return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, initials(name))


@register.inclusion_tag("parts/_place.html", takes_context=True)
def place(
    context: template.Context, key: str, label: str, symbol: str, url_name: str, letter: str = ""
) -> dict[str, Any]:
    here = context.get("workspace")
    try:
        url = reverse(url_name, kwargs={"slug": here.slug}) if here else ""
    except NoReverseMatch:
        url = ""
    return {
        "key": key,
        "label": label,
        "symbol": symbol,
        "url": url,
        "letter": letter,
        "on": _on(context) == key,
        "nav": context.get("nav") or {},
        "small": context.get("small_nav", False),
    }


def _on(context: template.Context) -> str:
    """The place a page belongs to: its own `nav_on`, else by the beginning of its url name."""
    given = context.get("nav_on")
    match = getattr(context.get("request"), "resolver_match", None)
    name = (match.url_name or "") if match else ""
    return str(given) if given else next((key for start, key in BELOW.items() if name.startswith(start)), "")


@register.filter
def when(moment: datetime | None) -> SafeString | str:
    if moment is None:
        return ""
    here, now = timezone.localtime(moment), timezone.localtime()
    if here.date() == now.date():
        return _time(moment, f"{here:%H:%M}", "when")
    if abs((now - here).total_seconds()) < 7 * 86_400:
        return _time(moment, f"{here.day} {here:%b %H:%M}", "when")
    return _time(moment, _date(here, now), "when")


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    if moment is None:
        return ""
    here, now = timezone.localtime(moment), timezone.localtime()
    seconds = (now - here).total_seconds()
    if seconds < 60:
        return _time(moment, "now", "ago")
    if seconds < 3600:
        return _time(moment, f"{seconds // 60:.0f} min", "ago")
    if here.date() == now.date():
        return _time(moment, f"{seconds // 3600:.0f} h", "ago")
    days = (now.date() - here.date()).days
    if days < 7:
        return _time(moment, "yesterday" if days == 1 else f"{days} days", "ago")
    return _time(moment, _date(here, now), "ago")


@register.filter
def exact(moment: datetime | None) -> SafeString | str:
    if moment is None:
        return ""
    here = timezone.localtime(moment)
    return _time(moment, f"{here.day} {here:%b %Y %H:%M:%S}", "exact")


@register.filter
def instant(moment: datetime | None) -> SafeString | str:
    if moment is None:
        return ""
    here = timezone.localtime(moment)
    return _time(moment, f"{here:%H:%M:%S}.{here.microsecond // 1000:03d}", "instant")


@register.filter
def day(moment: datetime | None) -> str:
    if moment is None:
        return ""
    here = timezone.localtime(moment)
    return f"{here:%A} {here.day} {here:%B}" + (
        "" if here.year == timezone.localtime().year else f" {here.year}"
    )


@register.filter
def initials(who: object) -> str:
    return (_name_of(who).strip()[:2] or "?").capitalize()


@register.filter
def avatar_tone(who: object) -> str:
    return ("", "av-2", "av-3", "av-4")[zlib.crc32(_name_of(who).encode()) % 4]


@register.filter
def plural(number: int | None, words: str) -> str:
    one, _, many = words.partition(",")
    count = number or 0
    return f"{count:,} {one if count == 1 else many or one + 's'}"


@register.filter
def whole(number: int | None, total: int | None) -> str:
    return f"{number or 0:,} of {total or 0:,}"


def _name_of(who: object) -> str:
    return str(getattr(who, "short_name", None) or who or "")


def _date(here: datetime, now: datetime) -> str:
    return f"{here.day} {here:%b}" + ("" if here.year == now.year else f" {here.year}")


def _time(moment: datetime, words: str, form: str) -> SafeString:
    stamp = moment.isoformat(timespec="milliseconds")
    full = f"{timezone.localtime(moment):%d %b %Y %H:%M:%S %Z}"
    return format_html('<time datetime="{}" title="{}" data-time="{}">{}</time>', stamp, full, form, words)
