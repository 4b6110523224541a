"""Every reason code that is stored with a mail or a person, and what it means to a person (faults.md 8).

Codes are stable: rows keep them, the API gives them, and nothing here is renamed. What a provider says no
with is a code of mailbox/providers, which is not listed: it means the provider's company.
"""

from __future__ import annotations

from dataclasses import dataclass

from outreach.holding import BLANK, held_sentence


@dataclass(frozen=True)
class Code:
    """`gate` is the number of faults.md 8, "" for what a stage or a person decides.

    `waits` stands behind "Waiting for", "" where the mail ends. `sentence` is for rows without words of their
    own. A code that two gates give names the one that gives it first.
    """

    gate: str
    waits: str
    sentence: str


def _waits(gate: str, what: str, sentence: str) -> Code:
    return Code(gate, what, sentence)


def _ends(gate: str, sentence: str) -> Code:
    return Code(gate, "", sentence)


PROVIDER = "the provider"
DRAFT_EDITED = "draft_edited"
CODES: dict[str, Code] = {
    # --- what a mail waits for
    "not_due": _waits("", "its time", "It goes when its time has come, if nothing speaks against it then."),
    "next": _waits("", "a free worker", "Nothing speaks against it. It goes with the next wake-up."),
    "window": _waits("G7", "the window", "It is outside the hours of this campaign."),
    "holiday": _waits("G7", "a working day", "Nothing leaves on a holiday of the workspace’s calendar."),
    "cap_reached": _waits("G7", "the daily cap", "The mailbox has sent as many mails in 24 hours as it may."),
    "spacing": _waits("G7", "its turn", "Mails of one mailbox leave some time apart."),
    "cool_down": _waits("G12", "30 quiet days", "Another campaign wrote to this person lately."),
    "site_budget": _waits("G12", "this site", "4 mails in 90 days is the limit for one site."),
    "bulk": _waits("G2", "the next day", "50 first mails of one text left in 24 hours."),
    "bounces": _waits("G8", "you", "Too many mails of this mailbox came back. Check the addresses."),
    "complaints": _waits("G9", "you", "Too many people complained. Nothing leaves until that is looked at."),
    "no_postal_address": _waits("G4", "you", "The workspace has no postal address. Every mail needs one."),
    "workspace_suspended": _waits("G13", "a review", "This workspace is suspended."),
    "campaign_paused": _waits("G13", "you", "The campaign is paused. The mail keeps its place and its text."),
    "person_paused": _waits("G13", "you", "This person is paused. The mail keeps its place and its text."),
    "provider_budget": _waits("G7", PROVIDER, "The provider’s quota for all of us is used up for now."),
    "provider_wait": _waits("G13", PROVIDER, "The provider asked us to wait."),
    "template": _waits("G10", "you", "A field of the text cannot be filled in."),
    "incomplete": _waits("", "you", "A part of this mail was deleted."),
    "poll_first": _waits("G13", "the inbox", "Before a follow-up we look whether an answer came."),
    "answer_suspected": _waits(
        "G13", "you", "A mail came that may be the answer. Say in the inbox whether it is."
    ),
    "ids_missing": _waits("", "the last mail", "The provider has not yet told the ids of the mail before."),
    "draft_unclear": _waits(
        "", PROVIDER, "It is not clear whether a draft was made. We look before going on."
    ),
    DRAFT_EDITED: _waits("", "you", "The draft was edited in the mailbox before it left."),
    "out_of_time": _waits("", "a free worker", "There was no time left to send it safely. It goes next."),
    # --- what warns and stops nothing
    "domain_unchecked": Code("G6", "", "Whether the domain’s SPF, DKIM and DMARC fit is not checked yet."),
    "domain_missing": Code("G6", "", "The mailbox’s domain lacks SPF, DKIM or DMARC for its provider."),
    "domain_unknown": Code("G6", "", "Whether the domain’s SPF, DKIM and DMARC fit could not be told."),
    "bounces_near": Code("G8", "", "Several mails of this mailbox came back. It stops by itself at 5."),
    # --- why a mail or a person stopped
    "replied": _ends("G13", "A person answered, so nothing more goes out."),
    "bounced": _ends("G1", "An earlier mail to this address came back."),
    "blocked": _ends("", "The receiving server refuses mail from this mailbox."),
    "opted_out": _ends("G1", "Asked not to be written to. Final."),
    "complained": _ends("G1", "Complained about an earlier mail. Final."),
    "by_hand": _ends("G1", "Put on the suppression list by a person."),
    "suppressed": _ends("G13", "This address is not written to any more."),
    "held_back": _ends("G13", "This person is held back."),
    "stopped": _ends("G13", "This person was taken out of the campaign."),
    "campaign_cancelled": _ends("G13", "The campaign was ended before this mail left."),
    "moved": _ends("", "Moved to another campaign by a person."),
    "removed": _ends("", "Taken out of the campaign by a person."),
    "skipped": _ends("", "A person skipped this step."),
    "no_click": _ends("", "Skipped: no link was opened."),
    "clicked": _ends("", "Skipped: a link was opened."),
    "clicks_unknown": _ends("", "Skipped: clicks of this person are not counted, so nobody knows."),
    "step_removed": _ends("", "The step was taken out of the campaign."),
    "mailbox_removed": _ends("G13", "Access to the mailbox was removed."),
    "mailbox_revoked": _ends("G13", "Access to the mailbox was removed."),
    # Waits while the mailbox can be connected again, and ends with it.
    "mailbox_disconnected": _waits("G13", "you", "Access to the mailbox ended."),
    "mail_erased": _ends("", "The mail was deleted with the mailbox."),
    "links_gone": _ends("G13", "The links are gone, so nothing is left to ask."),
    "case_closed": _ends("G13", "The verdict for this site was changed."),
    "contact_changed": _ends("", "Another person is asked for this site."),
    "says_removed": _ends("", "They say that the links are removed."),
    "wrong_person": _ends("", "They say that they are the wrong person."),
    "quarantined": _ends(
        "", "Preparing this mail ended the program three times, so it was taken out of the queue."
    ),
    "all_accepted": _ends("", "Every step was accepted."),
    "no_source": _ends("G2", "It is not recorded how this address was found."),
    "no_basis": _ends("G2", "No basis for writing to this person is recorded."),
    "consent_needed": _ends(
        "G14", "Their country asks for consent before a first mail, and none is recorded."
    ),
    "no_opt_out": _ends("G5", "The link to stop these mails is missing."),
    "pretends": _ends("G3", "A mail that answers nothing must not begin with “Re:”."),
    "placeholder": _ends("G10", "A leftover placeholder stands in the text."),
    "link_hides": _ends("G11", "A link hides where it leads."),
    "too_big": _ends("G15", "The mail is larger than 25 MB."),
    "one_recipient": _ends("G15", "The mail does not name exactly one recipient."),
    "identity": _ends("G3", "The mailbox has no address that a mail could come from."),
    "do_not_send": _ends("", "A person decided not to send it."),
    # --- why it is not known what became of it
    "no_trace": _ends("", "We found neither its draft nor a sent copy."),
    "unsent_twice": _ends("", "Its draft was left unused twice."),
    "too_old": _ends("", "More than 24 hours have passed."),
}


def gate_of(code: str) -> str:
    """The number of the gate that gives this code; "" where none does. A blank field is G10."""
    if code.startswith(BLANK):
        return "G10"
    return CODES[code].gate if code in CODES else ""


def waits_for(code: str, *, company: str) -> str:
    """What stands behind "Waiting for"; a provider's own code means its company. "" where it just queues."""
    if code.startswith(BLANK):
        return "a field"
    known = CODES.get(code)
    return company if known is None or known.waits in ("", PROVIDER) else known.waits


def sentence_for(code: str, detail: str = "") -> str:
    """The row's own words where it has some, else the code's sentence."""
    if detail.strip():
        return detail.strip()
    if code.startswith(BLANK):
        return held_sentence(code)
    if code in CODES:
        return CODES[code].sentence
    return "Stopped by a person." if not code else "The provider said no for now."
