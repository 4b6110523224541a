"""The list of checks beside the editor: what stops the queue, whom it leaves out, what has passed."""

from __future__ import annotations

from dataclasses import dataclass

from mailbox import domains
from mailbox.domains import Found, Record
from mailbox.models import USABLE, Mailbox
from outreach.models import Campaign, CampaignState, Enrollment, SuppressionReason
from outreach.pipeline.compose import Readiness
from outreach.problems import Problem

MOST_NAMES = 3


@dataclass(frozen=True)
class Check:
    """A line: mark of {% state %}, the bold fact, what it means, and where its one act leads.

    `code`: why the people in `names` are held back. `looks`: what it says is being found out, so that the
    list comes again with it.
    """

    tone: str
    mark: str
    words: str
    fact: str
    meaning: str = ""
    step: int = 0
    field: str = ""
    names: tuple[str, ...] = ()
    looks: bool = False
    code: str = ""


def checks_of(campaign: Campaign, found: Readiness, *, looked: bool = False) -> list[Check]:
    """Problems first, then those held back by reason, then warnings, then what has passed.

    `looked`: the name servers were just asked about the sender's domain.
    """
    stops = "This stops the queue." if campaign.state == CampaignState.DRAFT else "Nobody new can start."
    lines = [
        Check(
            "b",
            "bounced",
            "Problem",
            problem.sentence,
            f"{_place(problem)}{stops}",
            step=problem.step,
            field=problem.field,
        )
        for problem in found.problems
    ]
    reasons: dict[tuple[str, str], list[str]] = {}
    for enrollment, sentence in found.held_back:
        reasons.setdefault((enrollment.reason, sentence), []).append(enrollment.contact.greeting)
    for (code, sentence), names in sorted(reasons.items(), key=lambda item: -len(item[1])):
        lines.append(_held(code, sentence, names))
    lines += [
        Check(
            "w",
            "attention",
            "Look at",
            warning.sentence,
            f"{_stands(warning)}This does not stop the queue.",
            step=warning.step,
            field=warning.field,
        )
        for warning in found.warnings
    ]
    domain = _domain(campaign.mailbox, looked=looked) if campaign.mailbox else []
    lines += [line for line in domain if line.mark == "attention"]
    here = campaign.workspace
    if here.postal_address.strip():
        lines.append(Check("g", "quiet", "Passed", "", f"Postal address: {here.postal_address}."))
        lines.append(
            Check("g", "quiet", "Passed", "", "The opt-out link stands in every mail and cannot be removed.")
        )
    if campaign.mailbox and campaign.mailbox.state in USABLE:
        lines.append(Check("g", "quiet", "Passed", "", f"{campaign.mailbox.address} is connected."))
    lines += [line for line in domain if line.mark != "attention"]
    if found.ready and not any(problem.step for problem in found.problems):
        lines.append(Check("g", "quiet", "Passed", "", "Every field and every text fills in."))
    return lines


def _domain(mailbox: Mailbox, *, looked: bool) -> list[Check]:
    """Whether the sender's domain vouches for its mail. It stops nothing (decisions 9)."""
    standing = domains.known(mailbox)
    if standing is None:
        about = f"SPF, DKIM and DMARC of {domains.domain_of(mailbox)}"
        words = f"{about} could not be looked up." if looked else f"{about} are being looked up."
        return [Check("n", "minus", "Not known", "", words, looks=not looked)]
    if not standing.records:
        words = f"{standing.domain} is {standing.company}’s own: SPF, DKIM and DMARC are looked after there."
        return [Check("g", "quiet", "Passed", "", words)]
    if standing.is_good:
        words = f"Sender domain: SPF, DKIM and DMARC of {standing.domain} stand."
        return [Check("g", "quiet", "Passed", "", words)]
    lines = [_missing(record) for record in standing.missing]
    lines += [Check("n", "minus", "Not known", "", sentence) for sentence in standing.doubts]
    good = [record.sentence for record in standing.records if record.found == Found.GOOD]
    return lines + [Check("g", "quiet", "Passed", "", sentence) for sentence in good]


def _missing(record: Record) -> Check:
    meaning = f"{record.todo} This does not stop the queue."
    return Check("w", "attention", "Look at", record.sentence, meaning)


def _place(problem: Problem) -> str:
    if not problem.line:
        return ""
    return _subject(problem) if problem.field == "subject" else f"Step {problem.step}, line {problem.line}. "


def _stands(warning: Problem) -> str:
    """Where a hint points."""
    if warning.field == "subject":
        return _subject(warning)
    return f"Step {warning.step}, line {warning.line}. " if warning.line else f"Step {warning.step}. "


def _subject(problem: Problem) -> str:
    return f"In the subject of step {problem.step}. " if problem.step > 1 else "In the subject. "


def _held(code: str, sentence: str, names: list[str]) -> Check:
    blocked = code in SuppressionReason.values
    shown = ", ".join(names[:MOST_NAMES]) + (
        f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    )
    who = "1 person" if len(names) == 1 else f"{len(names):,} people"
    return Check(
        "n" if blocked else "w",
        "suppressed" if blocked else "attention",
        "Suppressed" if blocked else "Held back",
        f"{who}: {sentence}",
        f"{shown}. {'They stay out' if blocked else 'They are left out'}.",
        names=tuple(names),
        code=code,
    )


def number(text: str | None) -> int:
    """A person's place in the preview, from 1."""
    return max(1, int(text)) if text and text.isdecimal() and len(text) < 8 else 1


def turn(text: str | None) -> int:
    """How many options on the preview looks; 0 is what the person gets."""
    return int(text) if text and text.isdecimal() and len(text) < 4 else 0


def person_at(campaign: Campaign, n: int) -> Enrollment | None:
    """The n-th person of a campaign in the order they were added."""
    rows = Enrollment.objects.filter(campaign=campaign).select_related("contact__site", "campaign")
    return rows.order_by("created_at", "id")[n - 1 : n].first()
