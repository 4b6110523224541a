"""What a protocol and its world may choose, and the state of one e-mail in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

NOBODY, SETTLE = -1, 9
NONE = -1


@dataclass(frozen=True)
class Protocol:
    """Our side: how a mail is sent and how an unknown outcome is judged.

    `handle`: what an outcome is known by. "nothing" and "search" submit the mail as it is, "draft" makes a
    draft first. `settle` "over" waits until nothing of the attempt can happen any more; "late" is over before
    the provider's latest acceptance, "moving" before the sent mail has moved; "none" looks at once; "never"
    does not look.
    `fence`: a write names its fence and the state it expects; "states" leaves out the fence, "none" both.
    `kills`: how many lost workers quarantine a row; 0 counts none.
    """

    handle: str = "draft"
    settle: str = "over"
    fence: str = "kept"
    trusts_404: bool = False
    kills: int = 0


@dataclass(frozen=True)
class World:
    """The other side: what the provider, the user, the machines and people may do.

    `window`: a draft that was accepted stays to be seen for a while, and a second submit makes a second
    mail (Graph). `index`: the search for a sent mail is "perfect", may "lag", or is "blind" since the id
    was rewritten. `user`: "delete" or "send" the draft, "forget" (delete the sent mail); `acts` of them
    happen. `frozen`: a machine may stand still past the settle time in front of the write.
    """

    window: bool = True
    index: str = "perfect"
    user: frozenset[str] = frozenset()
    acts: int = 1
    crashes: int = 2
    words: int = 0
    stops: bool = False
    refusals: bool = False
    frozen: bool = False


class Worker(NamedTuple):
    """`at`: idle, claimed, made, ready, passed, waiting, or its answer; `draft`: what it works on."""

    at: str = "idle"
    draft: int = NONE


class Flight(NamedTuple):
    """A submit on its way to the provider. `owner` waits for the answer, NOBODY does after its deadline."""

    draft: int
    owner: int
    word: int


class State(NamedTuple):
    """The row, the workers, the provider and what may still go wrong.

    `drafts` holds a letter each: d a draft, m accepted and not yet moved (it looks like a draft), s used,
    x deleted. `accepted` counts our submits, apart for those that a person's "send again" asked for.
    """

    phase: str = "queued"
    draft: int = NONE
    holder: int = NOBODY
    leased: bool = False
    kills: int = 0
    resends: int = 0
    word: int = 0
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    verdict: str = ""
    drafts: str = ""
    orphan: bool = False
    flights: tuple[Flight, ...] = ()
    accepted: tuple[int, int] = (0, 0)
    by_hand: bool = False
    visible: bool = False
    lagging: bool = False
    crashes: int = 0
    acts: int = 0


DUPLICATE, FALSE_SENT, FALSE_END = "duplicate", "false sent", "false end"
_SWAP = {0: 1, 1: 0}
ENDS = frozenset({"sent", "said sent", "refused", "cancelled", "dropped"})
DOUBTS = frozenset({"doubt", "doubt unsent"})
ANSWERS = frozenset({"accepted", "not found", "throttled", "refused", "unknown"})


def first(world: World) -> State:
    return State(crashes=world.crashes, acts=world.acts if world.user else 0)


def judge(state: State) -> list[str]:
    """What is wrong or worth counting in this state."""
    found = []
    one, other = state.accepted
    ours = one + other
    if max(one, other) > 1:
        found.append(DUPLICATE)
    if one and other:
        found.append("a person's duplicate")
    if state.by_hand and ours:
        found.append("the user's duplicate")
    if state.phase == "sent" and not ours and not state.by_hand:
        found.append(FALSE_SENT)
    if state.phase in ("refused", "cancelled") and state.accepted[state.word]:
        found.append(FALSE_END)
    if state.phase in DOUBTS:
        found.append("parked, accepted" if ours else "parked, not accepted")
    if state.phase == "refused" and state.kills:
        found.append("quarantined")
    return found


def ended(state: State) -> bool:
    """Nothing is left to do: a final state, or a person's turn."""
    return state.phase in ENDS or state.phase in DOUBTS


def tidy(state: State) -> State:
    """The same state without the drafts that nobody knows any more."""
    if not state.drafts:
        return state
    known = {state.draft, state.workers[0].draft, state.workers[1].draft}
    known.update(flight.draft for flight in state.flights)
    kept = [i for i in range(len(state.drafts)) if i in known]
    if len(kept) == len(state.drafts):
        return state
    left = [letter for i, letter in enumerate(state.drafts) if i not in known]
    number = {old: new for new, old in enumerate(kept)} | {NONE: NONE}
    workers = tuple(w._replace(draft=number[w.draft]) for w in state.workers)
    return state._replace(
        draft=number[state.draft],
        workers=(workers[0], workers[1]),
        drafts="".join(state.drafts[i] for i in kept),
        orphan=state.orphan or "d" in left,
        # An accepted draft that moves unseen is a sent mail that the search does not show yet.
        lagging=state.lagging or "m" in left,
        flights=tuple(f._replace(draft=number[f.draft]) for f in state.flights),
    )


def unordered(state: State) -> State:
    """The state's name: the two workers are alike, so which is A makes no difference."""
    one, other = state.workers
    flights = tuple(sorted(state.flights))
    as_is = state if flights == state.flights else state._replace(flights=flights)
    if one < other:
        return as_is
    swapped = state._replace(
        workers=(other, one),
        holder=_SWAP.get(state.holder, state.holder),
        flights=tuple(sorted(f._replace(owner=_SWAP.get(f.owner, f.owner)) for f in flights)),
    )
    return swapped if other < one else min(as_is, swapped)
