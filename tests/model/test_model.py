"""The protocol in every order of events: what faults.md 4.4 says of each, and that the model is not blind.

The counts of states differ from the page's: this model also knows orphan drafts and the janitor, the settle
stage's look and its write as two steps, answers that come late, 404s and people; it takes two workers that do
the same as one, and looks at nothing behind a duplicate. The verdicts are the page's, row by row. As there,
they prove the logic and not the length of the settle time.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.protocol import DUPLICATE, FALSE_END, FALSE_SENT, World
from tests.model.table import FROZEN, GRAPH, MUTANTS, OURS, ROWS, WORLDS, Case, run


def by_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", ROWS, ids=by_name)
def test_it_comes_to_the_verdicts_of_the_table(case: Case) -> None:
    """faults.md 4.4: is a duplicate reachable, and a false "sent"?"""
    found = run(case.protocol, case.world)
    assert (DUPLICATE in found.wrong, FALSE_SENT in found.wrong) == (case.duplicate, case.false_sent), (
        found.ways
    )
    assert found.states > 100


def test_it_parks_only_what_was_not_accepted() -> None:
    """The residue of the last row: all of it accepted 0 times, while at most once cannot tell."""
    ours = run(ROWS[-1].protocol, ROWS[-1].world)
    assert ours.wrong["parked, not accepted"] > 0
    assert "parked, accepted" not in ours.wrong, ours.ways
    at_most_once = next(case for case in ROWS if case.name.startswith("at most once"))
    never = run(at_most_once.protocol, at_most_once.world)
    assert never.wrong["parked, accepted"] > 0
    assert never.wrong["parked, not accepted"] > 0


@pytest.mark.parametrize("name", WORLDS)
def test_it_never_sends_twice_and_never_says_sent_of_nothing(name: str) -> None:
    """Ours with every act of the user (F43, F44), throttled and refused (F6), stopped (F14, F25),
    quarantined (F23), and decided by a person (decisions 1)."""
    protocol, world = WORLDS[name]
    found = run(protocol, world)
    for kind in (DUPLICATE, FALSE_SENT, FALSE_END):
        assert kind not in found.wrong, "; ".join(found.ways[kind])
    assert not found.stuck, "; ".join(found.stuck)


def test_it_counts_apart_what_a_person_asked_for() -> None:
    """A second mail after "send again" is the person's; without a person's word there is none."""
    for name, (protocol, world) in WORLDS.items():
        found = run(protocol, world)
        assert ("a person's duplicate" in found.wrong) == (world.words > 0), name
    way = run(*WORLDS["Graph, a person's word"]).ways["a person's duplicate"]
    assert any(step.startswith("a person says: send again") for step in way)


def test_it_lets_no_user_act_double_a_mail_without_an_orphan() -> None:
    """F43: the row's own draft is used once, whoever uses it; only an orphan sent by hand is one more."""
    for name, (protocol, world) in WORLDS.items():
        found = run(protocol, world)
        if "the user's duplicate" in found.ways and not world.words:
            assert "the user sends an orphan" in found.ways["the user's duplicate"], name


@pytest.mark.parametrize("case", MUTANTS, ids=by_name)
def test_it_sees_what_each_mutant_does_wrong(case: Case) -> None:
    """faults.md 7.4: a model that misses one of these is blind."""
    found = run(case.protocol, case.world)
    assert (DUPLICATE in found.wrong, FALSE_SENT in found.wrong) == (case.duplicate, case.false_sent), (
        found.ways
    )
    way = found.ways[DUPLICATE if case.duplicate else FALSE_SENT]
    assert way == WAYS[case.name], "; ".join(way)


def test_it_needs_no_fence_where_each_write_names_the_state_it_expects() -> None:
    """What the model says of the fence: it is the second wall behind the compared states (rules 2 and 3)."""
    found = run(replace(OURS, fence="states"), GRAPH)
    assert DUPLICATE not in found.wrong


@pytest.mark.parametrize("case", FROZEN, ids=by_name)
def test_it_names_what_only_the_drafts_one_way_use_protects_from(case: Case) -> None:
    """faults.md 3.1, the residual risk: a frozen machine wakes behind settle."""
    found = run(case.protocol, case.world)
    assert (DUPLICATE in found.wrong, FALSE_SENT in found.wrong) == (case.duplicate, case.false_sent)


def test_it_takes_every_kind_of_step() -> None:
    """A step that no world takes would be a sentence about nothing."""
    taken = set().union(*(run(*choice).events for choice in WORLDS.values()))
    plain = {step.replace("worker A", "worker").replace("worker B", "worker") for step in taken}
    assert plain == STEPS


def test_it_starts_with_what_the_world_allows() -> None:
    """Fewer crashes and acts lead to fewer states: the bounds are really used."""
    none = run(OURS, World(crashes=0)).states
    one = run(OURS, World(crashes=1)).states
    user = run(OURS, World(crashes=1, user=frozenset({"delete"}))).states
    assert none < one < user


_DRAFTED = ("worker A claims", "worker A makes a draft", "worker A stores its draft")
_HANDED = (*_DRAFTED, "worker A commits submitting", "worker A submits")
_AGAIN = ("worker B claims", "worker B commits submitting", "worker B submits")
WAYS = {
    "no fence, Gmail": (
        *("worker A claims", "worker A makes a draft", "the lease runs out"),
        *("worker B claims", "worker B makes a draft"),
        *("worker A stores its draft", "worker B stores its draft"),
        *("worker A commits submitting", "worker A submits"),
        *("worker B commits submitting", "worker B submits"),
        *("the provider accepts", "the provider accepts"),
    ),
    "no fence, Graph": (
        *(*_DRAFTED, "the lease runs out", *_AGAIN),
        *("worker A commits submitting", "worker A submits"),
        *("the provider accepts", "the provider accepts"),
    ),
    "no settle": (
        *(*_HANDED, "the lease runs out"),
        *("settle looks: unused draft", "settle records: unused draft", *_AGAIN),
        *("the provider accepts", "the provider accepts"),
    ),
    "settle shorter than late acceptance": (
        *(*_HANDED, "worker A is killed", "the lease runs out"),
        *("settle looks: unused draft", "settle records: unused draft"),
        *("worker A claims", "worker A commits submitting", "worker A submits"),
        *("the provider accepts late", "the provider accepts"),
    ),
    "settle shorter than the move": (
        *(*_HANDED, "the provider accepts, the answer is lost", "worker A records: unknown"),
        *("settle looks: unused draft", "settle records: unused draft"),
        *("worker A claims", "worker A commits submitting", "worker A submits", "the provider accepts"),
    ),
    "404 trusted": (
        *(*_HANDED, "the user deletes the draft", "the provider answers 404"),
        "worker A records: not found",
    ),
}
STEPS = {
    "a person cancels",
    "a person says: do not send",
    "a person says: it was sent",
    "a person says: send again",
    "a person says: send again, same draft",
    "settle looks again: a sent mail",
    "settle looks: no trace",
    "settle looks: sent",
    "settle looks: unused draft",
    "settle records: no trace",
    "settle records: sent",
    "settle records: unused draft",
    "the index catches up",
    "the janitor deletes an orphan",
    "the janitor deletes the row's draft",
    "the lease runs out",
    "the provider accepts",
    "the provider accepts late",
    "the provider accepts, the answer is lost",
    "the provider answers 404",
    "the provider refuses",
    "the provider throttles",
    "the sent mail leaves Drafts",
    "the submit is lost",
    "the user deletes the draft",
    "the user deletes the sent mail",
    "the user sends an orphan",
    "the user sends the draft",
    "worker claims",
    "worker commits submitting",
    "worker finds a row that killed three",
    "worker is killed",
    "worker is stopped at the last gate",
    "worker is too late and stops",
    "worker lost the fence and throws its draft away",
    "worker makes a draft",
    "worker makes a draft, the answer is lost",
    "worker records: accepted",
    "worker records: not found",
    "worker records: refused",
    "worker records: throttled",
    "worker records: unknown",
    "worker stores its draft",
    "worker submits",
    "worker waits no longer",
}
