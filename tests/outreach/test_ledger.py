"""Why a mail has not gone: the gates, asked anew, and what a row keeps (faults.md 8)."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts import clock
from accounts.models import Workspace
from mailbox.models import Mailbox, MailboxState
from outreach import ledger, policy, reasons
from outreach.ledger import Answer
from outreach.models import (
    Campaign,
    CampaignState,
    Enrollment,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    SuppressionReason,
)
from tests.factories import make_campaign, make_enrollment, make_message
from tests.outreach.test_policy import _opted_out, ready

ROOT = Path(__file__).resolve().parents[2]


def opened(row: Message) -> ledger.Ledger:
    return ledger.opened(Message.objects.select_related(*ledger.WITH).get(pk=row.pk), now=clock.now())


def told(row: Message) -> ledger.Told:
    rows = Message.objects.select_related("mailbox", "campaign", "step")
    return ledger.told(rows.get(pk=row.pk), now=clock.now())


@pytest.mark.parametrize("kind", list(MessageKind))
def test_it_names_every_gate_of_the_kind_in_their_order(in_ws: Workspace, kind: MessageKind) -> None:
    found = opened(ready(kind))
    gates = [gate for gate in policy.GATES if kind in gate.kinds]
    assert [(line.gate, line.rule) for line in found.lines] == [(gate.number, gate.rule) for gate in gates]
    assert {line.answer for line in found.lines} <= {Answer.PASSES, Answer.WARNS}
    assert found.decides.code == ledger.NEXT


def test_it_agrees_with_the_last_gate_and_is_never_stale(in_ws: Workspace) -> None:
    row = ready(MessageKind.FIRST)
    Message.objects.filter(pk=row.pk).update(reason="window", not_before=clock.now())
    assert opened(row).decides.code == ledger.NEXT  # What a gate said before holds no more.
    assert told(row).code == "window"
    _opted_out(row)
    verdict = policy.may_send(Message.objects.select_related(*ledger.WITH).get(pk=row.pk))
    found = opened(row)
    assert (found.decides.code, found.decides.sentence) == (verdict.code, verdict.sentence)
    assert (found.decides.gate, found.decides.next_try) == ("G1", None)
    assert [line.gate for line in found.lines if line.answer is Answer.ENDS] == ["G1"]


def test_it_says_when_it_is_tried_again(in_ws: Workspace) -> None:
    row = ready(MessageKind.FIRST)
    tomorrow = clock.now() + dt.timedelta(days=1)
    Campaign.objects.update(weekdays=[tomorrow.weekday()], timezone="UTC")
    found = opened(row)
    assert (found.decides.gate, found.decides.code) == ("G7", "window")
    assert found.decides.next_try is not None
    assert found.decides.next_try.date() == tomorrow.date()
    Campaign.objects.update(state=CampaignState.PAUSED)
    found = opened(row)
    assert (found.decides.code, found.decides.next_try) == ("campaign_paused", None)
    assert [line.code for line in found.lines if line.answer is Answer.WAITS] == ["campaign_paused", "window"]


def test_it_asks_about_the_text_as_soon_as_there_is_one(in_ws: Workspace) -> None:
    """A gate that has nothing to look at lets pass; that is not told as if it had looked."""
    person = make_enrollment(make_campaign(state=CampaignState.RUNNING), state=EnrollmentState.RUNNING)
    later = {line.gate for line in opened(make_message(person)).lines if line.answer is Answer.LATER}
    assert later == {gate.number for gate in policy.GATES if gate.about_text}


def test_it_looks_at_the_mailbox_that_a_first_mail_will_leave_from(in_ws: Workspace) -> None:
    row = make_message()
    assert row.campaign is not None
    Message.objects.filter(pk=row.pk).update(mailbox=None)
    assert opened(row).decides.code != "mailbox_removed"
    Campaign.objects.update(mailbox=None)
    assert opened(row).decides.code == "mailbox_removed"


@pytest.mark.parametrize(
    ("values", "code", "gate"),
    [
        ({"due_at": dt.timedelta(hours=3)}, "not_due", ""),
        ({"state": "deferred", "reason": "rate_limited", "not_before": dt.timedelta(hours=1)},
         "rate_limited", ""),
        ({"state": "deferred", "reason": "ids_missing", "not_before": dt.timedelta(hours=1)},
         "ids_missing", ""),
        ({"reason": "blank:company", "not_before": dt.timedelta(hours=1)}, "blank:company", "G10"),
        ({"state": "drafted", "reason": "poll_first", "not_before": dt.timedelta(hours=1)},
         "poll_first", "G13"),
    ],
)  # fmt: skip
def test_it_keeps_what_a_stage_said(
    in_ws: Workspace, values: dict[str, object], code: str, gate: str
) -> None:
    row, now = ready(MessageKind.FIRST), clock.now()
    times = {name: now + value for name, value in values.items() if isinstance(value, dt.timedelta)}
    Message.objects.filter(pk=row.pk).update(**{**values, **times})
    for found in (opened(row).decides, told(row)):
        assert (found.code, found.gate) == (code, gate)
        assert found.next_try == next(iter(times.values()))
        assert found.sentence.endswith(".")


def test_it_waits_its_turn_in_the_mailbox(in_ws: Workspace) -> None:
    row, turn = ready(MessageKind.FIRST), clock.now() + dt.timedelta(minutes=1)
    Mailbox.objects.update(next_send_at=turn)
    for found in (opened(row).decides, told(row)):
        assert (found.code, found.gate, found.next_try) == ("spacing", "G7", turn)


@pytest.mark.parametrize(
    ("mailbox", "campaign", "code"),
    [
        ({"state": MailboxState.BROKEN}, {}, "mailbox_disconnected"),
        ({"state": MailboxState.THROTTLED}, {}, "provider_wait"),
        ({}, {"state": CampaignState.PAUSED}, "campaign_paused"),
    ],
)
def test_it_tells_in_lists_what_stops_a_mailbox_or_a_campaign(
    in_ws: Workspace, mailbox: dict[str, str], campaign: dict[str, str], code: str
) -> None:
    row, later = ready(MessageKind.FIRST), clock.now() + dt.timedelta(minutes=5)
    Mailbox.objects.update(throttled_until=later, **mailbox)
    Campaign.objects.update(**{"pause_reason": "", **campaign})
    assert told(row).code == opened(row).decides.code == code


@pytest.mark.parametrize("state", list(MessageState))
def test_it_says_something_of_every_state(in_ws: Workspace, state: MessageState) -> None:
    row = make_message(state=state, attempted_at=clock.now())
    assert told(row).sentence
    found = opened(row)
    assert found.decides.sentence
    waits = state in ("planned", "queued", "claimed", "drafted", "deferred")
    assert bool(found.lines) == waits


# --- codes ------------------------------------------------------------------------------------------


def codes_in(source: str) -> Iterator[str]:
    """What a gate's source hands to waits, cancelled, suppressed, warns and Problem as its code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            first = node.args[0]
            if node.func.id not in ("waits", "cancelled", "suppressed", "warns"):
                continue
            for part in ast.walk(first):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def every_code() -> set[str]:
    sources = [path.read_text() for path in sorted((ROOT / "outreach/gates").glob("*.py"))]
    found = {code for source in sources for code in codes_in(source)}
    blocks = re.findall(r'Problem\(\s*"(\w+)"', _blocking())
    return found | set(blocks) | set(SuppressionReason.values) | {"suppressed", "bounced"}


def _blocking() -> str:
    """Of outreach/content.py what gates call: the functions before the warnings."""
    text = (ROOT / "outreach/content.py").read_text()
    return text[: text.index("def warnings(")]


def test_it_has_words_for_every_code_that_a_gate_can_give() -> None:
    codes = every_code()
    assert len(codes) > 25
    assert {"window", "opted_out", "placeholder", "stopped", "domain_unchecked"} <= codes
    assert codes - set(reasons.CODES) == set()
    assert [code for code in codes if not reasons.CODES[code].gate] == []


def test_it_notices_a_code_without_words() -> None:
    planted = set(codes_in('return waits("brand_new", "Words.")'))
    assert planted - set(reasons.CODES) == {"brand_new"}


def test_it_names_gates_that_there_are() -> None:
    numbers = {gate.number for gate in policy.GATES}
    assert {known.gate for known in reasons.CODES.values()} - {""} <= numbers
    for code, known in reasons.CODES.items():
        assert re.fullmatch(r"[a-z_]+", code)
        assert known.sentence.endswith("."), code
        assert len(code) <= 60


def test_it_has_words_for_what_stages_store() -> None:
    """Constants that a stage or an act stores as the reason; what a provider says is its company's."""
    stored = set()
    for path in [
        *sorted((ROOT / "outreach").glob("*.py")),
        *sorted((ROOT / "outreach/pipeline").glob("*.py")),
    ]:
        stored |= set(re.findall(r'\breason="(\w+)"', path.read_text()))
    assert "quarantined" in stored
    assert stored - set(reasons.CODES) == set()
    assert Enrollment._meta.get_field("reason").max_length == 60
