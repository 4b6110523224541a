"""The one place that turns rows into the screen's words, sentence and evidence (decisions 19).

A sentence gives the fact, its time and the rule. Times are <time> elements, so sentences are safe HTML.
Nothing here asks the database: rows come with what WITH names, and with `now`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import clock
from accounts.templatetags.ui import when
from mailbox.models import Mailbox, MailboxState, Provider
from outreach.gates.state import GOING
from outreach.holding import BLANK, held_sentence
from outreach.models import CampaignState, Enrollment, EnrollmentState, Message, MessageKind, MessageState
from outreach.models.messages import STOPPABLE
from outreach.reasons import DRAFT_EDITED, sentence_for, waits_for

# What state_of() looks at: `Message.objects.select_related(*WITH)`.
WITH = ("mailbox", "campaign", "contact", "contact__site", "step", "enrollment")


@dataclass(frozen=True)
class Shown:
    """`tone`, `mark` and `words` go to {% state %}, `rung` to {% evidence %}; `sentence` is safe HTML.

    `goes` says about when the next mail goes, where that is not simply `next_at`.
    """

    tone: str
    mark: str
    words: str
    sentence: str
    next_at: dt.datetime | None = None
    rung: tuple[str, ...] = ()
    goes: str = ""


def state_of(row: Message | Enrollment, *, now: dt.datetime | None = None, goes: str = "") -> Shown:
    """For an enrollment, prefetch its `messages` with WITH. In lists pass `now` once (clock.now()).

    `goes`: the forecast's words for the mail that waits, such as "about Tue 1 Dec".
    """
    moment = now or clock.now()
    return of_enrollment(row, moment, goes) if isinstance(row, Enrollment) else of_message(row, moment, goes)


def latest(messages: Sequence[Message]) -> Message | None:
    """The mail that says where a person stands: the last step that has not merely been cancelled."""
    told = [row for row in messages if row.step is not None]
    told.sort(key=lambda row: row.step.position if row.step else 0)
    spoken = [row for row in told if row.state not in (MessageState.CANCELLED, MessageState.SUPPRESSED)]
    return (spoken or told or [None])[-1]  # type: ignore[list-item]


def telling(sent: Sequence[Message]) -> Message | None:
    """The sent mail that says most of a person: one whose link they opened, else the last.

    An opened link is a person's doing; a later mail that nobody has reacted to does not undo it.
    """
    clicked = [mail for mail in sent if mail.clicks]
    return latest(clicked) or latest(sent)


def of_enrollment(row: Enrollment, now: dt.datetime, goes: str = "") -> Shown:
    messages = list(row.messages.all())
    last = latest(messages)
    sent = [mail for mail in messages if mail.state == MessageState.SENT]
    told = telling(sent)
    rung = _rung(told, now)
    if row.state == EnrollmentState.HELD_BACK:
        return _held_back(row)
    if row.state == EnrollmentState.REPLIED:
        answered = max((mail.replied_at for mail in messages if mail.replied_at), default=row.stopped_at)
        cancelled = sum(mail.state == MessageState.CANCELLED for mail in messages)
        rest = (
            f" {cancelled} follow-up{'s were' if cancelled > 1 else ' was'} cancelled." if cancelled else ""
        )
        sentence = format_html("A person answered{}.{}", _at(answered), rest or " Nothing more goes out.")
        return Shown("g", "replied", "Replied", sentence, rung=tuple(dict.fromkeys([*rung, "replied"])))
    if row.state == EnrollmentState.BOUNCED:
        bounced = next((mail for mail in messages if mail.bounced_at), None)
        if bounced is not None:
            return of_message(bounced, now)
        sentence = format_html("Mail to this address came back{}. It is blocked here.", _at(row.stopped_at))
        return Shown("b", "bounced", "Bounced", sentence, rung=("bounced",))
    if row.state == EnrollmentState.SUPPRESSED:
        sentence = format_html("{}{}", sentence_for(row.reason), _on(row.stopped_at))
        return Shown("n", "suppressed", "Suppressed", sentence, rung=rung)
    if last is None:
        if row.state == EnrollmentState.CANCELLED:
            return Shown(
                "n", "cancelled", "Cancelled", format_html("{}{}", _stopped(row), _on(row.stopped_at))
            )
        return Shown("n", "planned", "Planned", "Goes when the campaign is queued.")
    if row.state == EnrollmentState.CANCELLED and last.state in (MessageState.CANCELLED, MessageState.SENT):
        sentence = format_html("{}{}", _stopped(row), _on(row.stopped_at))
        return Shown("n", "cancelled", "Cancelled", sentence, rung=rung)
    if row.paused_at is not None and row.state in GOING and last.state in STOPPABLE:
        words = "A person paused this{}. The mail keeps its place and its text."
        return Shown("w", "held", "Paused", format_html(words, _at(row.paused_at)), rung=rung)
    shown = of_message(last, now, goes)
    if last.state in (MessageState.PLANNED, MessageState.QUEUED) and sent and shown.tone in "nm":
        # A step that only waits for its day says less than what is known of the mail before it.
        known = of_message(told or last, now)
        position = last.step.position if last.step else 0
        sentence = format_html(
            "{} Step {} goes{} if no reply comes.", known.sentence, position, _when(last.due_at, goes)
        )
        return replace(known, sentence=sentence, next_at=last.not_before or last.due_at, goes=goes)
    if last.state in STOPPABLE and rung:
        # What holds the next step back does not undo what is known of the one before.
        return replace(shown, rung=rung)
    if last.state == MessageState.SENT and shown.tone != "b":
        shown = of_message(told or last, now)
        if row.state == EnrollmentState.FINISHED:
            return replace(shown, sentence=format_html("{} No step follows.", shown.sentence))
    return shown


def _stopped(row: Enrollment) -> str:
    """Names where somebody was moved to, where the page knows it (moving.with_names)."""
    name = getattr(row, "moved_name", None) if row.reason == "moved" else None
    return f"Moved to “{name}” by a person." if name else sentence_for(row.reason)


def _held_back(row: Enrollment) -> Shown:
    sentence = format_html("Held back: {}", held_sentence(row.reason))
    if row.reason in ("opted_out", "complained", "bounced", "by_hand"):
        return Shown("n", "suppressed", "Suppressed", sentence)
    if row.reason == "consent_needed":
        return Shown("w", "held", "Waiting for consent", sentence)
    if row.reason == "cool_down":
        return Shown("w", "held", "Waiting for 30 quiet days", sentence)
    words = "Waiting for a field" if row.reason.startswith(BLANK) else "Waiting for you"
    return Shown("w", "attention", words, sentence)


def of_message(row: Message, now: dt.datetime, goes: str = "") -> Shown:
    match row.state:
        case MessageState.SENT:
            return _sent(row, now)
        case MessageState.DOUBT if row.reason == DRAFT_EDITED:
            sentence = format_html("{} Nothing leaves until you decide.", sentence_for(row.reason))
            return Shown("d", "doubt", "In doubt", sentence, rung=("doubt",))
        case MessageState.DOUBT:
            sentence = format_html(
                "{} did not answer{}. {}We do not send again on our own.",
                product(row.mailbox), _at(row.attempted_at), _detail(row),
            )  # fmt: skip
            return Shown("d", "doubt", "In doubt", sentence, rung=("doubt",))
        case MessageState.SUBMITTING:
            return _submitting(row)
        case MessageState.REFUSED:
            sentence = format_html("{}{}", _detail(row) or sentence_for(row.reason), _on(row.ended_at))
            return Shown("b", "refused", "Refused", sentence)
        case MessageState.CANCELLED:
            sentence = format_html("{}{}", sentence_for(row.reason, _words(row)), _on(row.ended_at))
            return Shown("n", "cancelled", "Cancelled", sentence)
        case MessageState.SUPPRESSED:
            sentence = format_html("{}{}", sentence_for(row.reason, _words(row)), _on(row.ended_at))
            return Shown("n", "suppressed", "Suppressed", sentence)
        case _:
            return _waiting(row, now, goes)


def _submitting(row: Message) -> Shown:
    company = product(row.mailbox)
    if row.reason:
        sentence = format_html(
            "{} did not answer{}. We look{} what became of it, and send nothing before.",
            company, _at(row.attempted_at), _at(row.settle_at),
        )  # fmt: skip
    else:
        sentence = format_html("Handed to {}{}.", company, _at(row.attempted_at))
    return Shown("m", "sending", "Sending now", sentence, next_at=row.settle_at)


def _sent(row: Message, now: dt.datetime) -> Shown:
    rung = _rung(row, now)
    if row.replied_at is not None:
        return Shown(
            "g", "replied", "Replied", format_html("A person answered{}.", _at(row.replied_at)), rung=rung
        )
    if row.bounced_at is not None and row.bounce_kind in ("hard", "blocked"):
        words = _detail(row)
        rest = "The address is blocked for this workspace." if row.bounce_kind == "hard" else ""
        sentence = format_html("{}The report came{}. {}", words, _at(row.bounced_at), rest)
        return Shown("b", "bounced", "Bounced", sentence, rung=rung)
    if row.auto_replied_at is not None:
        sentence = format_html("An automatic answer came{}. It stops nothing.", _at(row.auto_replied_at))
        return Shown("n", "auto", "Auto-reply", sentence, rung=rung)
    accepted = format_html("Accepted by {}{}.", product(row.mailbox), _at(row.sent_at))
    if row.clicks:
        sentence = format_html("A link was opened{}, by a person as far as we can tell.", _at(row.clicked_at))
        return Shown("g", "clicked", "Clicked", sentence, rung=rung)
    if row.automatic_clicks:
        times = _times(row.automatic_clicks)
        sentence = format_html("{} Links were fetched {}, as scanners do.", accepted, times)
        return Shown("n", "clicked", "Clicked (looks automatic)", sentence, rung=rung)
    if row.opens:
        sentence = format_html("Image fetched {}. This says nothing about a person.", _times(row.opens))
        return Shown("n", "opened", "Opened (may be automatic)", sentence, rung=rung)
    if row.bounced_at is not None:
        soft = row.bounce_kind == "soft"
        said = "it was not taken in: full or out of reach" if soft else "it is still on its way"
        sentence = format_html("{} A report{} says that {}.", accepted, _at(row.bounced_at), said)
        return Shown("n", "accepted", "Accepted", sentence, rung=rung)
    quiet = row.quiet_at(settings.QUIET_SECONDS)
    if quiet is not None and quiet <= now:
        sentence = format_html("{} No bounce came in the 72 hours after.", accepted)
        return Shown("g", "quiet", "No bounce after 72 h", sentence, rung=rung)
    left = f"{_left(quiet - now)} to go before “no bounce after 72 h”." if quiet else ""
    return Shown("n", "accepted", "Accepted", format_html("{} {}", accepted, left), rung=rung)


def _waiting(row: Message, now: dt.datetime, goes: str) -> Shown:
    """Planned, queued, claimed, drafted or deferred."""
    mailbox, next_at = row.mailbox, row.not_before or row.due_at
    if (
        row.campaign is not None
        and row.campaign.state == CampaignState.PAUSED
        and row.kind != MessageKind.ANSWER
    ):
        sentence = "The campaign is paused. The mail keeps its place and its text."
        return Shown("w", "held", "Paused", sentence)
    if mailbox is not None and mailbox.state == MailboxState.BROKEN:
        sentence = format_html("{} needs reconnecting. The mail goes after that.", mailbox.address)
        return Shown("w", "attention", "Needs reconnecting", sentence)
    throttled = mailbox.throttled_until if mailbox and mailbox.state == MailboxState.THROTTLED else None
    if mailbox is not None and throttled is not None and throttled > now:
        words = format_html("Waiting for {} until {}", mailbox.company, _hour(throttled))
        sentence = format_html("{} asked us to wait{}.", mailbox.company, _until(throttled))
        return Shown("w", "held", words, sentence, next_at=throttled)
    if row.reason:
        what = waits_for(row.reason, company=mailbox.company if mailbox else "the provider")
        if what:
            sentence = format_html("{}{}", sentence_for(row.reason, _words(row)), _next(row.not_before, now))
            mark = "attention" if what in ("you", "a field") else "held"
            goes = "" if mark == "attention" else goes
            return Shown("w", mark, f"Waiting for {what}", sentence, next_at=row.not_before, goes=goes)
    if row.state == MessageState.PLANNED:
        follows = row.step is not None and row.step.position > 1
        rule = "if no reply comes" if follows else "when it passes the gates"
        sentence = format_html("Goes{}, {}.", _when(next_at, goes) if next_at > now or goes else " now", rule)
        return Shown("n", "planned", "Planned", sentence, next_at=next_at, goes=goes)
    free = mailbox.next_send_at if mailbox is not None else None
    at = max(filter(None, [next_at, free]), default=next_at)
    where = f"from {mailbox.address}" if mailbox is not None else ""
    turn = _when(at, goes) if at > now or goes else " next"
    sentence = format_html("Its text is fixed. Goes{} {}.", turn, where)
    return Shown("m", "queued", "Queued", sentence, next_at=at if at > now else None, goes=goes)


def _rung(row: Message | None, now: dt.datetime) -> tuple[str, ...]:
    if row is None or row.sent_at is None:
        return ()
    if row.bounced_at is not None and row.bounce_kind in ("hard", "blocked"):
        return ("bounced",)
    quiet = row.quiet_at(settings.QUIET_SECONDS)
    steps = {
        "accepted": True,
        "quiet": quiet is not None and quiet <= now,
        "opened": row.opens > 0,
        "clicked": row.clicks > 0,
        "replied": row.replied_at is not None,
    }
    return tuple(name for name, known in steps.items() if known)


def product(mailbox: Mailbox | None) -> str:
    """What accepts our mail, in a word people know."""
    if mailbox is None:
        return "The provider"
    return "Gmail" if mailbox.provider == Provider.GOOGLE else "Microsoft"


def _words(row: Message) -> str:
    return row.detail or ""


def _detail(row: Message) -> SafeString:
    words = _words(row).strip()
    return format_html("“{}” ", words) if words else SafeString("")


def _at(moment: dt.datetime | None) -> SafeString:
    return format_html(" {}", _moment(moment)) if moment else SafeString("")


def _when(moment: dt.datetime, goes: str) -> SafeString:
    return format_html(" {}", goes) if goes else _at(moment)


def _moment(moment: dt.datetime) -> SafeString:
    """ "at 14:05" within today, else "on 24 Nov 14:05"."""
    within = timezone.localtime(moment).date() == timezone.localtime().date()
    return format_html("{} {}", "at" if within else "on", when(moment))


def _on(moment: dt.datetime | None) -> SafeString:
    return format_html(" Since {}.", when(moment)) if moment else SafeString("")


def _until(moment: dt.datetime) -> SafeString:
    return format_html(" until {}", when(moment))


def _next(moment: dt.datetime | None, now: dt.datetime) -> SafeString:
    """The next look, unless it is so near that naming it says nothing."""
    if moment is None or moment - now < dt.timedelta(minutes=2):
        return SafeString("")
    return format_html(" Next {}.", _moment(moment))


def _hour(moment: dt.datetime) -> SafeString | str:
    return when(moment)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _left(rest: dt.timedelta) -> str:
    hours = rest.total_seconds() / 3600
    if hours >= 1:
        return f"{hours:.0f} hour{'' if round(hours) == 1 else 's'}"
    minutes = max(1, round(hours * 60))
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
