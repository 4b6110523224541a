"""Verdicts, links and cases in the screen's words: the marks, the reasons of the list, the why-sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.templatetags.ui import when
from outreach import labels, why
from outreach.models import (
    CaseState,
    EnrollmentState,
    LinkState,
    Message,
    MessageState,
    RemovalCase,
    Reply,
    ReplyKind,
    Thread,
    Verdict,
)

# (tone, mark) of {% state %}.
VERDICTS = {
    Verdict.UNDECIDED: ("n", "planned"),
    Verdict.KEEP: ("n", "accepted"),
    Verdict.REMOVE: ("m", "minus"),
    Verdict.DISAVOW: ("b", "suppressed"),
}
STATES = {
    CaseState.OPEN: ("m", "minus"),
    CaseState.YOUR_TURN: ("w", "attention"),
    CaseState.GONE: ("g", "quiet"),
    CaseState.GIVEN_UP: ("b", "suppressed"),
}
LINKS = {
    LinkState.NOT_CHECKED: ("n", "planned"),
    LinkState.LIVE: ("m", "live"),
    LinkState.NOFOLLOW: ("n", "live"),
    LinkState.SAYS_REMOVED: ("m", "replied"),
    LinkState.GONE: ("g", "quiet"),
    LinkState.PAGE_GONE: ("g", "quiet"),
    LinkState.COULD_NOT_CHECK: ("d", "doubt"),
}
# What a person may record by hand. "Says it is removed" is the other side's word.
BY_HAND = [
    LinkState.LIVE,
    LinkState.NOFOLLOW,
    LinkState.GONE,
    LinkState.PAGE_GONE,
    LinkState.COULD_NOT_CHECK,
    LinkState.SAYS_REMOVED,
    LinkState.NOT_CHECKED,
]


@dataclass(frozen=True)
class Chip:
    """A state with its words, for {% state %}."""

    tone: str
    mark: str
    words: str


def verdict_of(case: RemovalCase) -> Chip:
    verdict = Verdict(case.verdict)
    return Chip(*VERDICTS[verdict], verdict.label)


def state_of(case: RemovalCase) -> Chip:
    """The case's own state; before anybody was asked it is the verdict."""
    if case.state == CaseState.OPEN:
        return verdict_of(case)
    state = CaseState(case.state)
    return Chip(*STATES[state], state.label)


def link_state(state: str) -> Chip:
    found = LinkState(state)
    return Chip(*LINKS[found], found.label)


def chips(case: Any) -> list[Chip]:
    """The links of a case that was counted by counting.with_links: "1 gone", "88 live"."""
    numbers = (
        (case.gone, Chip("g", "quiet", "gone")),
        (case.live, Chip("m", "live", "live")),
        (case.nofollow, Chip("n", "live", "live, nofollow")),
        (case.claimed, Chip("m", "replied", "said to be removed")),
        (case.unclear, Chip("d", "doubt", "could not check")),
        (case.unchecked, Chip("n", "planned", "not checked yet")),
    )
    return [Chip(chip.tone, chip.mark, f"{number:,} {chip.words}") for number, chip in numbers if number]


def reasons(case: Any) -> str:
    """What the list itself says about a site, as facts: how many links, in which words, since when."""
    total: int = case.total
    parts = ["1 link" if total == 1 else f"{total:,} links"]
    if total == 1 and case.one_anchor:
        parts.append(f"“{case.one_anchor[:60]}”")
    elif total > 2 and case.anchors == 1:
        parts.append("the same words on all")
    elif case.anchors > 1:
        parts.append(f"{case.anchors:,} different texts")
    if case.marked and total > 1:
        parts.append(f"{case.marked:,} marked nofollow")
    elif case.marked:
        parts.append("marked nofollow")
    if case.since:
        parts.append(f"first found {case.since.day} {case.since:%b %Y}")
    return ", ".join(parts)


def prefetches() -> list[Prefetch[Any]]:
    """What sentence_of looks at, for a list of cases."""
    mails = Message.objects.select_related(*why.WITH).order_by("created_at")
    answers = Reply.objects.filter(kind=ReplyKind.REPLY).order_by("received_at")
    return [
        Prefetch("enrollment__messages", queryset=mails),
        Prefetch(
            "enrollment__threads",
            queryset=Thread.objects.prefetch_related(
                Prefetch("replies", queryset=answers, to_attr="answers")
            ),
        ),
    ]


RELATED = ("site", "project", "contact", "enrollment__campaign", "enrollment__contact")


def sentence_of(case: RemovalCase, *, now: dt.datetime) -> SafeString:
    """Why the case stands where it stands, and what happens next."""
    match case.verdict, case.state:
        case _, CaseState.GONE:
            return format_html("All links are gone{}. Nothing more goes out.", _since(case.closed_at))
        case Verdict.UNDECIDED, _:
            return SafeString("Nobody has decided yet.")
        case Verdict.KEEP, _:
            return format_html("Kept{}.", _since(case.verdict_at))
        case Verdict.DISAVOW, _:
            return format_html("{} In the file.", _asked(case))
        case _, CaseState.YOUR_TURN:
            return _answered(case)
    if case.enrollment is None:
        if case.contact is None:
            return SafeString("Nobody is named who could be asked.")
        return format_html("Ready: {} gets one mail that lists the links.", case.contact.address)
    if case.enrollment.state == EnrollmentState.PLANNED and not case.enrollment.messages.all():
        return format_html("Ready: {} gets one mail that lists the links.", case.enrollment.contact.address)
    return format_html("{}", why.state_of(case.enrollment, now=now).sentence)


def _answered(case: RemovalCase) -> SafeString:
    answers = answers_of(case)
    if not answers:
        return SafeString("They say that the links are removed. Look, and record what you see.")
    last = answers[-1]
    label = labels.shown(last).words
    said = label if last.label else "They answered"
    return format_html("{}, {}: “{}”", said, when(last.received_at), " ".join(str(last.text).split())[:120])


def answers_of(case: RemovalCase) -> Sequence[Reply]:
    threads = case.enrollment.threads.all() if case.enrollment is not None else ()
    found = [reply for thread in threads for reply in getattr(thread, "answers", [])]
    return sorted(found, key=lambda reply: reply.received_at)


def requests_of(case: RemovalCase) -> list[Message]:
    """The requests that were accepted, oldest first."""
    mails = case.enrollment.messages.all() if case.enrollment is not None else ()
    sent = [mail for mail in mails if mail.state == MessageState.SENT and mail.sent_at]
    return sorted(sent, key=lambda mail: mail.sent_at or mail.created_at)


def _asked(case: RemovalCase) -> SafeString:
    sent = requests_of(case)
    if not sent:
        return SafeString("Not asked.")
    count = "1 request" if len(sent) == 1 else f"{len(sent)} requests"
    since = when(sent[0].sent_at)
    enrollment = case.enrollment
    if enrollment is not None and enrollment.state == EnrollmentState.BOUNCED:
        return format_html("{} since {}, the mail came back.", count, since)
    ended = "answered" if answers_of(case) else "no answer"
    return format_html("{} since {}, {}.", count, since, ended)


def _since(moment: dt.datetime | None) -> SafeString:
    return format_html(" since {}", when(moment)) if moment else SafeString("")
