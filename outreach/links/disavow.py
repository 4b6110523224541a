"""The disavow file in Google's format: comments with the contact history, `domain:` lines and single URLs.

Google takes UTF-8 or 7-bit ASCII, one entry a line, at most 2 MB and 100,000 lines with comments and blank
lines counted. No address and no name of a person stands in it: the file goes to Google.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Prefetch

from outreach.links.counting import GONE
from outreach.models import (
    Backlink,
    CaseState,
    Message,
    MessageKind,
    MessageState,
    Project,
    RemovalCase,
    Reply,
    ReplyKind,
    Verdict,
)

MOST_BYTES = 2 * 1024 * 1024
MOST_LINES = 100_000
LONGEST_URL = 2048


class TooLarge(Exception):
    """Google would not take the file; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """One site: its comments, and the lines that count."""

    domain: str
    comments: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Disavow:
    entries: list[Entry]
    head: list[str]

    @property
    def domains(self) -> int:
        return sum(line.startswith("domain:") for entry in self.entries for line in entry.lines)

    @property
    def urls(self) -> int:
        return sum(len(entry.lines) for entry in self.entries) - self.domains


def build(project: Project, *, now: dt.datetime) -> Disavow:
    """What the file holds now. Five queries, whatever the number of sites."""
    mails = Message.objects.filter(kind=MessageKind.REMOVAL, state=MessageState.SENT).order_by("sent_at")
    replies = Reply.objects.filter(kind=ReplyKind.REPLY).order_by("received_at")
    cases = (
        RemovalCase.objects.filter(project=project, verdict=Verdict.DISAVOW)
        .exclude(state=CaseState.GONE)
        .select_related("site", "enrollment", "contact")
        .prefetch_related(
            Prefetch("enrollment__messages", queryset=mails, to_attr="requests"),
            Prefetch("enrollment__threads__replies", queryset=replies, to_attr="answers"),
            Prefetch("links", queryset=Backlink.objects.order_by("source_url")),
        )
        .order_by("site__domain")
    )
    entries = [entry for entry in map(_entry, cases) if entry.lines]
    head = [
        f"Disavow file of {_one_line(project.name)}"
        + (f", for {_one_line(project.website)}" if project.website else ""),
        f"Made on {_date(now)} {now:%H:%M} UTC: {len(entries)} sites",
    ]
    return Disavow(entries, head)


def text_of(found: Disavow, *, comments: bool = True) -> str:
    """The file. Comments are left out where the file would be over Google's limits. Raises TooLarge."""
    lines = [f"# {line}" for line in found.head]
    for entry in found.entries:
        if comments:
            lines += ["", *(f"# {comment}" for comment in entry.comments)]
        lines += entry.lines
    text = "\n".join(lines) + "\n"
    if len(lines) <= MOST_LINES and len(text.encode()) <= MOST_BYTES:
        return text
    if comments:
        shorter = Disavow(found.entries, [*found.head, "Without the contact history, to stay under 2 MB"])
        return text_of(shorter, comments=False)
    raise TooLarge(
        "The file would be over 2 MB or 100,000 lines, which Google does not take. "
        "Let more sites stand with their whole domain."
    )


def _entry(case: RemovalCase) -> Entry:
    domain = case.site.domain
    links = [link for link in case.links.all() if link.state not in GONE]
    comments = [f"{domain}: {_history(case)}", _links_line(case)]
    if case.whole_domain:
        return Entry(domain, comments, [f"domain:{domain}"])
    urls = list(dict.fromkeys(link.source_url for link in links))
    fitting = [url for url in urls if len(url) <= LONGEST_URL and not url.startswith("#")]
    return Entry(domain, [*comments, "only these, the rest is fine"], fitting)


def _history(case: RemovalCase) -> str:
    """What was tried, in one line."""
    requests: Sequence[Message] = getattr(case.enrollment, "requests", [])
    if not requests:
        return "not asked, no contact is known" if case.contact is None else "not asked"
    asked = f"asked {_dates(mail.sent_at for mail in requests if mail.sent_at)}"
    answers = [reply for thread in _threads(case) for reply in getattr(thread, "answers", [])]
    if answers:
        last = answers[-1]
        label = f", {last.get_label_display().lower()}" if last.label else ""
        return f"{asked}: answered {_date(last.received_at)}{label}"
    if any(mail.bounced_at for mail in requests):
        return f"{asked}: bounced, no other contact"
    return f"{asked}: no answer"


def _threads(case: RemovalCase) -> Iterable[object]:
    return case.enrollment.threads.all() if case.enrollment is not None else ()


def _links_line(case: RemovalCase) -> str:
    links = list(case.links.all())
    gone = sum(link.state in GONE for link in links)
    seen = [link.state_at for link in links if link.state_at]
    words = f"{len(links)} link{'' if len(links) == 1 else 's'}"
    if gone:
        words += f", {gone} gone"
    return words + (f", last looked at {_date(max(seen))}" if seen else ", not looked at yet")


def _dates(moments: Iterable[dt.datetime]) -> str:
    """ "3, 10, 17 Nov 2026"."""
    by_month: dict[str, list[str]] = {}
    for moment in moments:
        by_month.setdefault(f"{moment:%b %Y}", []).append(str(moment.day))
    return ", ".join(f"{', '.join(days)} {month}" for month, days in by_month.items())


def _date(moment: dt.datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
