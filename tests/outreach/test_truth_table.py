"""The truth table of the gates, generated from their list: alone, in pairs, and by kind (faults.md 8)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable

import pytest

from accounts import clock
from outreach import policy
from outreach.models import Message, MessageKind, MessageState

FIRST, FOLLOW_UP, REMOVAL = MessageKind.FIRST, MessageKind.FOLLOW_UP, MessageKind.REMOVAL
ANSWER, TEST = MessageKind.ANSWER, MessageKind.TEST

# --- the table of decisions 9, by kind --------------------------------------------------------------

CAMPAIGN = {"G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10", "G11", "G13", "G14", "G15"}
BY_KIND = {
    FIRST: CAMPAIGN | {"G12"},
    FOLLOW_UP: CAMPAIGN,
    REMOVAL: CAMPAIGN | {"G12"},
    ANSWER: {"G3", "G15", "G7", "G13"},
    TEST: {"G3", "G15", "G13"},
}


@pytest.mark.parametrize("kind", list(MessageKind))
def test_it_asks_each_kind_what_was_decided(kind: MessageKind) -> None:
    assert {gate.number for gate in policy.GATES if kind in gate.kinds} == BY_KIND[kind]


# --- the truth table, generated from GATES (faults.md 8) --------------------------------------------

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


def _no(place: int) -> policy.Verdict:
    ends = MessageState.CANCELLED if place % 2 else None
    return policy.Verdict(ok=False, code=f"no_{place}", sentence="No.", ends=ends)


def _saying(verdict: policy.Verdict) -> Callable[[Message, object], policy.Verdict]:
    return lambda message, asked: verdict


def _closed(monkeypatch: pytest.MonkeyPatch, *closed: int) -> None:
    """Every gate lets pass but those at these places."""
    gates = [
        dataclasses.replace(gate, run=_saying(_no(place) if place in closed else policy.Verdict(ok=True)))
        for place, gate in enumerate(GATES)
    ]
    monkeypatch.setattr(policy, "GATES", tuple(gates))


GATES = policy.GATES


@pytest.mark.parametrize("place", range(len(GATES)), ids=[gate.run.__name__ for gate in GATES])
def test_it_is_stopped_by_each_gate_alone(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    _closed(monkeypatch, place)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    gate = GATES[place]
    for kind in MessageKind:
        row = Message(kind=kind)
        stops = kind in gate.kinds and not gate.only_warns
        verdict = policy.may_send(row, now=NOW)
        assert verdict.ok == (not stops), kind
        assert policy.may_queue_text(row).ok == (not stops or not gate.about_text), kind
        assert policy.may_queue(row).ok == (not stops or gate.late), kind
        # Also one that only warns is told of to whoever asks why.
        said = [answer.code for asked, answer in policy.asked(row, now=NOW) if not answer.ok]
        assert said == ([f"no_{place}"] if kind in gate.kinds else []), kind


def test_it_lets_the_first_of_two_gates_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pair, for every kind; the ledger names both."""
    pairs = 0
    for one, other in itertools.combinations(range(len(GATES)), 2):
        _closed(monkeypatch, one, other)
        for kind in MessageKind:
            there = [place for place in (one, other) if kind in GATES[place].kinds]
            row = Message(kind=kind)
            verdict = policy.may_send(row, now=NOW)
            stopping = [place for place in there if not GATES[place].only_warns]
            assert verdict.code == (f"no_{stopping[0]}" if stopping else "")
            said = [answer.code for _, answer in policy.asked(row, now=NOW) if not answer.ok]
            assert said == [f"no_{place}" for place in there]
            pairs += 1
    assert pairs == len(GATES) * (len(GATES) - 1) // 2 * len(MessageKind)
