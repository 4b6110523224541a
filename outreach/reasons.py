"""What each stored reason code means to a person: what a mail waits for, and why it stopped."""

from __future__ import annotations

from outreach.holding import BLANK, held_sentence

# code → (what it waits for, the sentence where the row keeps no words of its own)
_WAITS = {
    "window": ("the window", "It is outside the hours of this campaign."),
    "cap_reached": ("the daily cap", "The mailbox has sent as many mails in 24 hours as it may."),
    "cool_down": ("30 quiet days", "Another campaign wrote to this person lately."),
    "site_budget": ("this site", "4 mails in 90 days is the limit for one site."),
    "bulk": ("the next day", "50 first mails of one text left in 24 hours."),
    "bounces": ("you", "Too many mails of this mailbox came back. Check the addresses."),
    "complaints": ("you", "Too many people complained. Nothing leaves until that is looked at."),
    "no_postal_address": ("you", "The workspace has no postal address. Every mail needs one."),
    "workspace_suspended": ("a review", "This workspace is suspended."),
    "template": ("you", "A field of the text cannot be filled in."),
    "incomplete": ("you", "A part of this mail was deleted."),
    "poll_first": ("the inbox", "Before a follow-up we look whether an answer came."),
    "ids_missing": ("the last mail", "The provider has not yet told the ids of the mail before."),
    "draft_unclear": ("the provider", "It is not clear whether a draft was made. We look before going on."),
    "spacing": ("its turn", "Mails of one mailbox leave some time apart."),
    "out_of_time": ("a free worker", "There was no time left to send it safely. It goes next."),
}
# code → why a mail or a person stopped
_ENDED = {
    "replied": "A person answered, so nothing more goes out.",
    "bounced": "An earlier mail to this address came back.",
    "blocked": "The receiving server refuses mail from this mailbox.",
    "opted_out": "Asked not to be written to. Final.",
    "complained": "Complained about an earlier mail. Final.",
    "by_hand": "Put on the suppression list by a person.",
    "campaign_cancelled": "The campaign was ended before this mail left.",
    "removed": "Taken out of the campaign by a person.",
    "step_removed": "The step was taken out of the campaign.",
    "mailbox_removed": "Access to the mailbox was removed.",
    "mailbox_revoked": "Access to the mailbox was removed.",
    "mailbox_disconnected": "Access to the mailbox ended.",
    "mail_erased": "The mail was deleted with the mailbox.",
    "links_gone": "The links are gone, so nothing is left to ask.",
    "case_closed": "The verdict for this site was changed.",
    "contact_changed": "Another person is asked for this site.",
    "says_removed": "They say that the links are removed.",
    "wrong_person": "They say that they are the wrong person.",
    "quarantined": "Preparing this mail ended the program three times, so it was taken out of the queue.",
    "all_accepted": "Every step was accepted.",
    "no_source": "It is not recorded how this address was found.",
    "consent_needed": "Their country asks for consent before a first mail, and none is recorded.",
    "no_opt_out": "The link to stop these mails is missing.",
    "pretends": "A first mail must not begin with “Re:”.",
    "placeholder": "A leftover placeholder stands in the text.",
    "link_hides": "A link hides where it leads.",
    "too_big": "The mail is larger than 25 MB.",
    "one_recipient": "The mail does not name exactly one recipient.",
    "identity": "The mailbox has no address that a mail could come from.",
    "do_not_send": "A person decided not to send it.",
}


def waits_for(code: str, *, company: str) -> str:
    """What stands behind "Waiting for"; a provider's own code means its company. "" where it just queues."""
    if code.startswith(BLANK):
        return "a field"
    if code in ("campaign_paused", "mailbox_disconnected"):
        return "you"
    return _WAITS[code][0] if code in _WAITS else company


def sentence_for(code: str, detail: str = "") -> str:
    """The row's own words where it has some, else the code's sentence."""
    if detail.strip():
        return detail.strip()
    if code.startswith(BLANK):
        return held_sentence(code)
    if code in _WAITS:
        return _WAITS[code][1]
    return _ENDED.get(code, "Stopped by a person." if not code else "The provider said no for now.")
