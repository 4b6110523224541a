"""Breadth first through every state that can be reached, with the shortest way to each kind of wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

S = TypeVar("S", bound=Hashable)


@dataclass
class Explored:
    """`wrong` counts the states of each kind of wrong; `ways` holds the shortest way to the first of each.

    `stuck` is the shortest way to a state that ends nothing and that nothing leads out of; () without one.
    `events` are the names of all steps that were taken.
    """

    states: int = 0
    wrong: dict[str, int] = field(default_factory=dict)
    ways: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stuck: tuple[str, ...] = ()
    events: set[str] = field(default_factory=set)


class TooMany(Exception):
    """More states than a run of seconds can look at: the model lost a bound."""


def explore(
    start: S,
    *,
    moves: Callable[[S], Iterator[tuple[str, S]]],
    named: Callable[[S], S],
    judge: Callable[[S], Iterable[str]],
    ended: Callable[[S], bool],
    over: str = "",
    most: int = 300_000,
) -> Explored:
    """Every state behind `start`. `named` gives states that differ in nothing one name.

    Behind a state that is wrong by the kind `over` nothing is looked at: no way leads back from it.
    Raises TooMany.
    """
    found = Explored()
    before: dict[S, S | None] = {named(start): None}
    queue = deque(before)

    def way(state: S) -> tuple[str, ...]:
        """Walked again from the start, so that each worker keeps its letter."""
        path = [state]
        while (earlier := before[path[-1]]) is not None:
            path.append(earlier)
        steps, here = [], start
        for target in reversed(path[:-1]):
            label, here = next((name, after) for name, after in moves(here) if named(after) == target)
            steps.append(label)
        return tuple(steps)

    while queue:
        state = queue.popleft()
        kinds = list(judge(state))
        for kind in kinds:
            found.wrong[kind] = found.wrong.get(kind, 0) + 1
            if kind not in found.ways:
                found.ways[kind] = way(state)
        if over in kinds:
            continue
        leaf = True
        for event, after in moves(state):
            leaf = False
            found.events.add(event)
            name = named(after)
            if name not in before:
                before[name] = state
                queue.append(name)
        if leaf and not found.stuck and not ended(state):
            found.stuck = way(state)
        if len(before) > most:
            raise TooMany(f"more than {most} states")
    found.states = len(before)
    return found
