"""G13: mailbox, campaign, enrollment and workspace are such that this mail may go."""

from __future__ import annotations

from mailbox.models import MailboxState
from outreach.gates.facts import Asked
from outreach.gates.verdict import GO, Verdict, cancelled, suppressed, waits
from outreach.models import (
    CampaignState,
    CaseState,
    EnrollmentState,
    Message,
)
from outreach.models import Verdict as CaseVerdict

GOING = [EnrollmentState.PLANNED, EnrollmentState.RUNNING]


def mailbox_removed(message: Message, asked: Asked) -> Verdict:
    if message.mailbox is None or message.mailbox.state == MailboxState.REVOKED:
        return cancelled("mailbox_removed", "Access to the mailbox was removed.")
    return GO


def mailbox_usable(message: Message, asked: Asked) -> Verdict:
    mailbox = message.mailbox
    if mailbox is None:
        return cancelled("mailbox_removed", "Access to the mailbox was removed.")
    if mailbox.state == MailboxState.BROKEN:
        return waits("mailbox_disconnected", f"{mailbox.address} needs reconnecting.")
    if (
        mailbox.state == MailboxState.THROTTLED
        and mailbox.throttled_until
        and mailbox.throttled_until > asked.now
    ):
        return waits(
            "provider_wait",
            f"{mailbox.company} asked us to wait.",
            until=mailbox.throttled_until,
        )
    return GO


def suspended(message: Message, asked: Asked) -> Verdict:
    if message.workspace.suspended_at is not None:
        return waits(
            "workspace_suspended", "This workspace is suspended. Nothing leaves until it is reviewed."
        )
    return GO


def campaign(message: Message, asked: Asked) -> Verdict:
    found = message.campaign
    if found is None or found.state == CampaignState.RUNNING:
        return GO
    if found.state in (CampaignState.PAUSED, CampaignState.DRAFT):
        return waits("campaign_paused", "The campaign is paused. The mail keeps its place and its text.")
    return cancelled("campaign_cancelled", "The campaign was ended before this mail left.")


def enrollment(message: Message, asked: Asked) -> Verdict:
    found = message.enrollment
    if found is None or found.state in GOING:
        return GO
    match found.state:
        case EnrollmentState.SUPPRESSED | EnrollmentState.BOUNCED:
            return suppressed(found.reason or found.state, "This address is not written to any more.")
        case EnrollmentState.REPLIED:
            return cancelled("replied", "A person answered. Nothing more goes out by itself.")
        case EnrollmentState.HELD_BACK:
            return cancelled(found.reason or "held_back", "This person is held back.")
        case _:
            return cancelled(found.reason or "stopped", "This person was taken out of the campaign.")


def no_reply(message: Message, asked: Asked) -> Verdict:
    if asked.facts.replied:
        return cancelled("replied", "A person answered. Nothing more goes out by itself.")
    return GO


def answer_suspected(message: Message, asked: Asked) -> Verdict:
    """A mail came that may be the answer, and nothing but a person can tell (F37)."""
    if message.enrollment is not None and message.enrollment.answer_suspected_at is not None:
        return waits(
            "answer_suspected", "A mail came that may be the answer. Say in the inbox whether it is."
        )
    return GO


def person_paused(message: Message, asked: Asked) -> Verdict:
    if message.enrollment is not None and message.enrollment.paused_at is not None:
        return waits("person_paused", "This person is paused. The mail keeps its place and its text.")
    return GO


def case_open(message: Message, asked: Asked) -> Verdict:
    """A removal request goes only while its case asks: not when the links are gone or the verdict changed."""
    case = getattr(message.enrollment, "case", None)
    if case is None:
        return GO
    if case.state == CaseState.GONE:
        return cancelled("links_gone", "The links are gone, so nothing is left to ask.")
    if case.verdict != CaseVerdict.REMOVE or case.state == CaseState.GIVEN_UP:
        return cancelled("case_closed", "The verdict for this site was changed.")
    return GO
