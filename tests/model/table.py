"""The protocols of faults.md 4.4, ours, and ours with one part taken out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from tests.model.checker import Explored, explore
from tests.model.moves import moves
from tests.model.protocol import DUPLICATE, Protocol, World, ended, first, judge, unordered

OURS = Protocol()
USER = frozenset({"delete", "send"})
EVERY_ACT = USER | {"forget"}
PLAIN = World(window=False)
GRAPH = World(window=True)


@dataclass(frozen=True)
class Case:
    """One row: `duplicate` and `false_sent` are the verdicts that the model has to come to."""

    name: str
    protocol: Protocol
    world: World
    duplicate: bool
    false_sent: bool


@cache
def run(protocol: Protocol, world: World) -> Explored:
    return explore(
        first(world),
        moves=moves(protocol, world),
        named=unordered,
        judge=judge,
        ended=ended,
        over=DUPLICATE,
    )


_SEARCH = Protocol(handle="search", settle="none")
_AT_ONCE = Protocol(settle="none", trusts_404=True)
ROWS = (
    Case("naive retry", Protocol(handle="nothing", settle="none"), PLAIN, True, False),
    Case("search by id, perfect index", _SEARCH, PLAIN, True, False),
    Case("search by id, index lag", _SEARCH, replace(PLAIN, index="lag"), True, False),
    Case("search by id, provider rewrites the id", _SEARCH, replace(PLAIN, index="blind"), True, False),
    Case("at most once, never resend", Protocol(handle="nothing", settle="never"), PLAIN, False, False),
    Case("draft, atomic use", _AT_ONCE, PLAIN, False, False),
    Case("draft, non-atomic use", _AT_ONCE, GRAPH, True, False),
    Case(
        "draft + late move, resend at once", _AT_ONCE, replace(GRAPH, user=frozenset({"delete"})), True, True
    ),
    Case(
        "draft + settle, 404 trusted as sent",
        replace(OURS, trusts_404=True),
        replace(GRAPH, user=USER),
        False,
        True,
    ),
    Case("draft + settle + confirm the SENT copy", OURS, replace(GRAPH, user=USER), False, False),
)

COUNTED = replace(OURS, kills=3)
WORLDS = {
    "Gmail, every act of the user": (OURS, replace(PLAIN, user=EVERY_ACT, index="lag")),
    "Graph, every act of the user": (OURS, replace(GRAPH, user=EVERY_ACT, index="lag")),
    "Gmail, throttled, refused, stopped": (OURS, replace(PLAIN, user=USER, refusals=True, stops=True)),
    "Graph, throttled, refused, stopped": (OURS, replace(GRAPH, user=USER, refusals=True, stops=True)),
    "Gmail, rows that kill their worker": (COUNTED, replace(PLAIN, crashes=3)),
    "Graph, rows that kill their worker": (COUNTED, replace(GRAPH, crashes=3)),
    "Gmail, a person's word": (OURS, replace(PLAIN, user=EVERY_ACT, crashes=1, words=1, stops=True)),
    "Graph, a person's word": (OURS, replace(GRAPH, user=EVERY_ACT, crashes=1, words=1, stops=True)),
}

MUTANTS = (
    Case("no fence, Gmail", replace(OURS, fence="none"), PLAIN, True, False),
    Case("no fence, Graph", replace(OURS, fence="none"), GRAPH, True, False),
    Case("no settle", replace(OURS, settle="none"), GRAPH, True, False),
    Case("settle shorter than late acceptance", replace(OURS, settle="late"), GRAPH, True, False),
    Case("settle shorter than the move", replace(OURS, settle="moving"), GRAPH, True, False),
    Case("404 trusted", replace(OURS, trusts_404=True), replace(PLAIN, user=USER), False, True),
)

# What is left of it (faults.md 3.1): a machine that stands still between its last look at the clock and the
# write, its parent too, and wakes when settle is over.
FROZEN = (
    Case("frozen machine, Gmail", OURS, replace(PLAIN, frozen=True), False, False),
    Case("frozen machine, Graph", OURS, replace(GRAPH, frozen=True), True, False),
)
