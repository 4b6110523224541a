"""Says whether a case went well: it believes the sandbox's ledger, and holds the rows against it."""

from __future__ import annotations

from typing import Any

from accounts.models import AuditEvent
from mailbox.models import SendSlot
from outreach.models import Message, MessageState
from outreach.models.messages import COUNTED
from tests.grid.expected import Expected
from tests.mailbox.sandbox.conftest import Running

NOT_HANDED_OVER = {
    MessageState.QUEUED,
    MessageState.CLAIMED,
    MessageState.DRAFTED,
    MessageState.DEFERRED,
    MessageState.REFUSED,
    MessageState.CANCELLED,
    MessageState.SUPPRESSED,
}


class Judge:
    """`lost_slots`: places in the cap that stay used although no row holds them (a person's word)."""

    def __init__(self, providers: Running, row: Message) -> None:
        assert row.mailbox is not None
        self._providers = providers
        self._row = row.pk
        self._address = str(row.mailbox.address)
        self._identity = row.mailbox.identity
        self._fence = row.fence
        self.lost_slots = 0

    def ledger(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._providers.get("ledger", mailbox=self._address)
        return found

    def look(self) -> Message:
        """After each turn: what may never be, not even for a moment."""
        row: Message = Message.objects.select_related("mailbox", "thread").get(pk=self._row)
        accepted = len(self.ledger())
        assert accepted <= 1, f"duplicate: {accepted} accepted submits (I1)"
        if row.state == MessageState.SENT:
            assert accepted == 1, "wrongly sent: the ledger has none"
        if row.state in NOT_HANDED_OVER:
            assert accepted == 0, f"wrongly not sent: {row.state}, and the ledger has one"
        places = list(SendSlot.objects.filter(identity_id=self._identity).values_list("key", flat=True))
        holds = places.count(row.pk)
        assert holds == int(row.state in COUNTED), f"{holds} places in the cap for a mail that is {row.state}"
        assert len(places) == holds + self.lost_slots, f"{len(places)} places of the cap are used"
        assert row.fence >= self._fence, f"the fence shrank from {self._fence} to {row.fence}"
        self._fence = row.fence
        return row

    def rest(self, end: Expected) -> None:
        """At the end, and behind the janitor."""
        row = self.look()
        entries = self.ledger()
        said = (row.state, len(entries), row.reason)
        assert said == (end.state, end.ledger, end.reason), f"{said} in place of {end}"
        assert row.kills == end.kills, f"{row.kills} lost workers are remembered, not {end.kills}"
        writes = len(self._providers.get("calls", mailbox=self._address, op="send"))
        assert writes <= row.attempt_no, f"{writes} send calls for {row.attempt_no} commits of `submitting`"
        following = Message.objects.filter(enrollment=row.enrollment_id, step__position=2).count()
        words = AuditEvent.objects.filter(action="message.accepted", object_id=str(row.pk)).count()
        once = int(row.state == MessageState.SENT)
        assert (following, words) == (once, once), f"{following} next steps, {words} lines in the log"
        mails = self._mails()
        if row.state == MessageState.SENT:
            (copy,) = [mail for mail in mails if mail["folder"] == "sentitems"]
            ids = (row.provider_id, row.rfc_message_id, row.provider_copies <= 1)
            assert ids == (copy["id"], entries[0]["message_id"], True), "these are not the mail's ids"
        lying = [mail for mail in mails if mail["folder"] == "drafts"]
        own = int(row.state == MessageState.DOUBT)
        assert len(lying) == own, f"{len(lying)} drafts lie in the mailbox of a mail that is {row.state}"

    def _mails(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._providers.get("messages", mailbox=self._address)
        return found
