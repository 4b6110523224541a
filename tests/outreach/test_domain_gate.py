"""G6 tells what a domain lacks, to whoever asks why; nothing that sends waits for it (decisions 9)."""

from __future__ import annotations

import pytest

from accounts import clock
from accounts.models import Workspace
from mailbox import domains
from mailbox.domains import Found, Name, Record, Standing
from mailbox.models import Mailbox
from outreach import policy
from outreach.models import Message
from tests.factories import make_campaign, make_enrollment, make_mailbox, make_message


def waiting() -> Message:
    campaign = make_campaign(mailbox=make_mailbox(address="mira@fernhill-outdoor.com"))
    return make_message(make_enrollment(campaign))


def said(row: Message) -> policy.Verdict:
    (verdict,) = [answer for gate, answer in policy.asked(row, now=clock.now()) if gate.number == "G6"]
    return verdict


def found(how: Found) -> Standing:
    why = "not_asked" if how == Found.UNKNOWN else "spf_none"
    record = Record(Name.SPF, how, why, f"SPF is {how}.", "")
    return Standing("fernhill-outdoor.com", "Google", (record,))


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (None, "domain_unchecked"),
        (found(Found.MISSING), "domain_missing"),
        (found(Found.UNKNOWN), "domain_unknown"),
        (found(Found.GOOD), ""),
    ],
)
def test_it_warns_of_what_is_missing_or_unknown(
    in_ws: Workspace, monkeypatch: pytest.MonkeyPatch, standing: Standing | None, code: str
) -> None:
    monkeypatch.setattr(domains, "known", lambda _: standing)
    verdict = said(waiting())
    assert (verdict.ok, verdict.code) == (True, code)
    assert verdict.sentence or not code


def test_nothing_that_sends_asks_for_it(in_ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(_: Mailbox) -> None:
        raise AssertionError("a mail waited for it")

    row = waiting()
    monkeypatch.setattr(domains, "known", asked)
    policy.may_queue(row)
    policy.may_send(row)
    with pytest.raises(AssertionError, match="waited"):
        said(row)
