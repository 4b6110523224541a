"""The label of a reply: its mark, and what follows when a person sets one."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from accounts import audit
from accounts.clock import Now
from accounts.models import User
from mailbox.models import Replies
from outreach import suppression
from outreach.inbox import places
from outreach.models import Backlink, Label, LinkState, RemovalCase, Reply, ReplyKind, SuppressionReason

# (tone, mark) of {% state %}, by design README.
MARKS = {
    Label.INTERESTED: ("g", "replied"),
    Label.QUESTION: ("m", "replied"),
    Label.SAYS_REMOVED: ("m", "replied"),
    Label.PLACED: ("g", "replied"),
    Label.ASKS_PAYMENT: ("w", "attention"),
    Label.NOT_NOW: ("w", "held"),
    Label.DECLINED: ("n", "minus"),
    Label.WRONG_PERSON: ("n", "minus"),
    Label.OUT_OF_OFFICE: ("n", "auto"),
    Label.OPTED_OUT: ("b", "suppressed"),
    Label.UNCLEAR: ("d", "doubt"),
}
# A claim is written down only where nobody has looked, or somebody saw the link.
_CLAIMED = [LinkState.NOT_CHECKED, LinkState.LIVE, LinkState.NOFOLLOW, LinkState.COULD_NOT_CHECK]


@dataclass(frozen=True)
class Shown:
    tone: str
    mark: str
    words: str


def shown(reply: Reply) -> Shown:
    """The label where there is one, else what kind of mail it is."""
    if reply.label:
        label = Label(reply.label)
        return Shown(*MARKS[label], label.label)
    if reply.kind == ReplyKind.BOUNCE:
        if reply.bounce_kind in ("soft", "delayed"):
            return Shown("w", "held", "Waiting for their server")
        return Shown("b", "bounced", "Bounced")
    if reply.kind == ReplyKind.AUTO_REPLY:
        return Shown("n", "auto", "Auto-reply")
    return Shown("g", "replied", "Replied")


def set_label(reply: Reply, label: Label | None, *, actor: User) -> bool:
    """What a person reads in a reply; None takes the label back. Whether that changed something.

    "Opted out" puts the address on the suppression list. "Says it is removed" marks the case's links as
    claimed, which is not "gone".
    """
    value = label.value if label else ""
    with transaction.atomic():
        changed = (
            Reply.objects.filter(pk=reply.pk).exclude(label=value).update(label=value, labelled_at=Now()) == 1
        )
        if not changed:
            return False
        places.follow_label(reply.thread_id)
        audit.record(
            "reply.labelled",
            _sentence(reply, label),
            actor=actor,
            object_id=reply.thread_id,
        )
        if label == Label.OPTED_OUT:
            # Whoever answered for the person we wrote to spoke for both addresses.
            for address in {reply.from_address, reply.thread.contact.address}:
                suppression.suppress(
                    address,
                    reason=SuppressionReason.OPTED_OUT,
                    note="Asked for it in a reply",
                    actor=actor,
                )
        if label == Label.SAYS_REMOVED:
            case = RemovalCase.objects.filter(enrollment=reply.thread.enrollment_id).first()
            if case is not None and reply.thread.enrollment_id is not None:
                Backlink.objects.filter(case=case, state__in=_CLAIMED).update(
                    state=LinkState.SAYS_REMOVED, state_at=Now()
                )
    reply.refresh_from_db()
    return True


def _sentence(reply: Reply, label: Label | None) -> str:
    """The log is read by admins, a private reply by the mailbox's owner alone."""
    if reply.mailbox is not None and reply.mailbox.replies == Replies.PRIVATE:
        return "A private reply was labelled"
    return f"Reply of {reply.from_address}: {label.label if label else 'label taken back'}"
