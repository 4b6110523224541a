"""Every next step of a state: workers, the settle stage, the provider, the user, people and bad luck."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.model.protocol import (
    ANSWERS,
    DOUBTS,
    NOBODY,
    NONE,
    SETTLE,
    Flight,
    Protocol,
    State,
    Worker,
    World,
    tidy,
)

Step = tuple[str, State]
MOST_DRAFTS = 3
MOST_FLIGHTS = 2


def moves(protocol: Protocol, world: World) -> Callable[[State], Iterator[Step]]:
    """The steps that this protocol allows in this world, each with its name."""

    def steps(state: State) -> Iterator[Step]:
        for name, after in _all(protocol, world, state):
            yield name, tidy(after)

    return steps


def _all(protocol: Protocol, world: World, state: State) -> Iterator[Step]:
    for number in (0, 1):
        yield from _worker(protocol, world, state, number)
    if state.holder in (0, 1) and state.leased:
        yield "the lease runs out", state._replace(leased=False)
    yield from _settle(protocol, world, state)
    yield from _provider(world, state)
    yield from _user(world, state)
    yield from _people(world, state)
    yield from _janitor(state)


# --- a worker ---------------------------------------------------------------------------------------


def _worker(protocol: Protocol, world: World, state: State, number: int) -> Iterator[Step]:
    worker, name = state.workers[number], f"worker {'AB'[number]}"
    if worker.at != "idle" and state.crashes:
        unheard = _unheard(state, number)
        yield f"{name} is killed", _at(unheard, number, "idle")._replace(crashes=state.crashes - 1)
    if worker.at == "idle":
        yield from _claim(protocol, state, number, name)
    elif worker.at == "claimed":
        yield from _prepare(protocol, state, number, name)
    elif worker.at == "made":
        yield from _store(protocol, state, number, name)
    elif worker.at == "ready":
        yield from _gate(protocol, state, number, name)
    elif worker.at == "passed":
        if len(state.flights) < MOST_FLIGHTS:
            flight = Flight(worker.draft, number, state.word)
            yield (
                f"{name} submits",
                _at(state, number, "waiting", worker.draft)._replace(flights=(*state.flights, flight)),
            )
        if not state.leased:
            yield f"{name} is too late and stops", _let_go(_at(state, number, "idle"), protocol, number)
    elif worker.at == "waiting":
        yield f"{name} waits no longer", _at(_unheard(state, number), number, "unknown")
    elif worker.at in ANSWERS:
        yield f"{name} records: {worker.at}", _record(protocol, state, number, worker.at)


def _claim(protocol: Protocol, state: State, number: int, name: str) -> Iterator[Step]:
    if state.leased:
        return
    again = protocol.handle != "draft" and protocol.settle == "none" and state.phase == "submitting"
    if state.phase not in ("queued", "drafted") and not again:
        return
    lost = state.holder in (0, 1)
    kills = state.kills + int(lost)
    if lost and protocol.kills and kills >= protocol.kills:
        yield (
            f"{name} finds a row that killed three",
            state._replace(phase="refused", kills=kills, holder=NOBODY),
        )
        return
    taken = state._replace(holder=number, leased=True, kills=min(kills, protocol.kills))
    if protocol.handle == "nothing" or state.draft != NONE:
        yield f"{name} claims", _at(taken, number, "ready", state.draft)
    else:
        yield f"{name} claims", _at(taken, number, "claimed")


def _prepare(protocol: Protocol, state: State, number: int, name: str) -> Iterator[Step]:
    if protocol.handle == "search":
        if state.visible:
            after = _at(state, number, "idle")
            yield (
                f"{name} finds the mail",
                (
                    after._replace(phase="sent", holder=NOBODY, leased=False)
                    if _mine(protocol, state, number)
                    else after
                ),
            )
        else:
            yield f"{name} finds no mail", _at(state, number, "ready")
    elif len(state.drafts) < MOST_DRAFTS:
        made = state._replace(drafts=state.drafts + "d")
        yield f"{name} makes a draft", _at(made, number, "made", len(state.drafts))
        lost = _let_go(_at(state, number, "idle"), protocol, number)
        yield f"{name} makes a draft, the answer is lost", lost._replace(orphan=True)


def _store(protocol: Protocol, state: State, number: int, name: str) -> Iterator[Step]:
    own = state.workers[number].draft
    free = state.phase == "queued" and state.draft == NONE
    if (free and _mine(protocol, state, number)) or protocol.fence == "none":
        kept = state._replace(draft=own, phase="drafted")
        yield f"{name} stores its draft", _at(kept, number, "ready", own)
    else:
        thrown = _draft(state, own, "x") if state.drafts[own] == "d" else state
        yield f"{name} lost the fence and throws its draft away", _at(thrown, number, "idle")


def _gate(protocol: Protocol, state: State, number: int, name: str) -> Iterator[Step]:
    draft = state.workers[number].draft
    open_for = ("drafted",) if protocol.handle == "draft" else ("queued", "submitting")
    mine = state.phase in open_for and state.draft == draft and _mine(protocol, state, number)
    if mine or protocol.fence == "none":
        yield (
            f"{name} commits submitting",
            _at(state._replace(phase="submitting", draft=draft), number, "passed", draft),
        )
    else:
        yield f"{name} is stopped at the last gate", _at(state, number, "idle")


def _record(protocol: Protocol, state: State, number: int, answer: str) -> State:
    after = _at(state, number, "idle")
    expected = _mine(protocol, state, number) and state.phase == "submitting"
    if not expected and protocol.fence != "none":
        return after
    held = protocol.handle == "draft"
    phase = {
        "accepted": "sent",
        "refused": "refused",
        "throttled": "drafted" if held else "queued",
        "not found": "sent" if protocol.trusts_404 else "submitting",
        "unknown": "submitting",
    }[answer]
    return after._replace(phase=phase, holder=NOBODY, leased=False)


def _let_go(state: State, protocol: Protocol, number: int) -> State:
    return state._replace(holder=NOBODY, leased=False) if _mine(protocol, state, number) else state


def _mine(protocol: Protocol, state: State, number: int) -> bool:
    """Whether a write that names this worker's fence changes the row."""
    return state.holder == number or protocol.fence != "kept"


def _unheard(state: State, number: int) -> State:
    """What this worker sent goes on, and its answer reaches nobody."""
    flights = tuple(f._replace(owner=NOBODY) if f.owner == number else f for f in state.flights)
    return state._replace(flights=flights)


def _at(state: State, number: int, at: str, draft: int = NONE) -> State:
    workers = list(state.workers)
    workers[number] = Worker(at, draft)
    return state._replace(workers=(workers[0], workers[1]))


# --- the settle stage -------------------------------------------------------------------------------


def _settle(protocol: Protocol, world: World, state: State) -> Iterator[Step]:
    if protocol.settle == "none" and protocol.handle != "draft":
        return
    if state.verdict:
        yield f"settle records: {state.verdict}", _settled(protocol, world, state)
    elif state.phase in DOUBTS:
        if protocol.handle == "draft" and state.visible:
            yield "settle looks again: a sent mail", state._replace(holder=SETTLE, verdict="sent")
    elif state.phase == "submitting" and _may_look(protocol, world, state):
        verdict = _look(protocol, state)
        lost = state.holder in (0, 1)
        yield (
            f"settle looks: {verdict}",
            state._replace(
                holder=SETTLE,
                leased=False,
                verdict=verdict,
                kills=min(protocol.kills, state.kills + int(lost)),
            ),
        )


def _may_look(protocol: Protocol, world: World, state: State) -> bool:
    if protocol.settle == "none":
        return not state.leased
    busy = {worker.at for worker in state.workers} - {"idle", "claimed", "made", "ready"}
    if world.frozen:
        busy -= {"passed"}
    if busy or (state.leased and not world.frozen):
        return False
    on_the_way = bool(state.flights) and protocol.settle != "late"
    moving = ("m" in state.drafts or state.lagging) and protocol.settle != "moving"
    return not on_the_way and not moving


def _look(protocol: Protocol, state: State) -> str:
    if protocol.settle == "never":
        return "cannot tell"
    if state.draft != NONE and state.drafts[state.draft] in "dm":
        return "unused draft"
    if protocol.trusts_404 or state.visible:
        return "sent"
    return "no trace"


def _settled(protocol: Protocol, world: World, state: State) -> State:
    after = state._replace(verdict="")
    if state.holder != SETTLE or state.phase not in ("submitting", *DOUBTS):
        return after
    after = after._replace(holder=NOBODY, leased=False)
    if state.verdict == "sent":
        return after._replace(phase="sent")
    if state.verdict == "unused draft":
        if protocol.kills and state.kills >= protocol.kills:
            return after._replace(phase="refused")
        if world.window and protocol.settle == "over" and state.resends:
            return after._replace(phase="doubt unsent")
        return after._replace(phase="drafted", resends=1)
    return after._replace(phase="doubt")


# --- the provider -----------------------------------------------------------------------------------


def _provider(world: World, state: State) -> Iterator[Step]:
    for flight in dict.fromkeys(state.flights):
        rest = list(state.flights)
        rest.remove(flight)
        base = state._replace(flights=tuple(rest))
        yield "the submit is lost", _answer(base, flight, "unknown")
        after = _accept(world, base, flight)
        if after is None:
            yield "the provider answers 404", _answer(base, flight, "not found")
            continue
        when = "accepts" if flight.owner != NOBODY else "accepts late"
        yield f"the provider {when}", _answer(after, flight, "accepted")
        if flight.owner != NOBODY:
            yield "the provider accepts, the answer is lost", _answer(after, flight, "unknown")
        if world.refusals:
            yield "the provider throttles", _answer(base, flight, "throttled")
            yield "the provider refuses", _answer(base, flight, "refused")
    if "m" in state.drafts:
        moved = state._replace(drafts=state.drafts.replace("m", "s"))
        yield "the sent mail leaves Drafts", _shown(world, moved)
    if state.lagging:
        yield "the index catches up", state._replace(lagging=False, visible=True)


def _accept(world: World, state: State, flight: Flight) -> State | None:
    """None where the draft is gone."""
    accepted = list(state.accepted)
    accepted[flight.word] = min(2, accepted[flight.word] + 1)
    after = state._replace(accepted=(accepted[0], accepted[1]))
    if flight.draft == NONE:
        return _shown(world, after)
    letter = state.drafts[flight.draft]
    if letter == "d":
        if world.window:
            return _draft(after, flight.draft, "m")
        return _shown(world, _draft(after, flight.draft, "s"))
    return after if letter == "m" else None


def _shown(world: World, state: State) -> State:
    if world.index == "lag":
        return state._replace(lagging=True)
    return state._replace(visible=world.index != "blind")


def _answer(state: State, flight: Flight, answer: str) -> State:
    return state if flight.owner == NOBODY else _at(state, flight.owner, answer)


def _draft(state: State, draft: int, letter: str) -> State:
    return state._replace(drafts=state.drafts[:draft] + letter + state.drafts[draft + 1 :])


# --- the user, people, the janitor ------------------------------------------------------------------


def _user(world: World, state: State) -> Iterator[Step]:
    if not state.acts:
        return
    left = state._replace(acts=state.acts - 1)
    for number, letter in enumerate(state.drafts):
        if letter == "d" and "delete" in world.user:
            yield "the user deletes the draft", _draft(left, number, "x")
        if letter == "d" and "send" in world.user:
            yield "the user sends the draft", _shown(world, _draft(left, number, "s"))._replace(by_hand=True)
    if state.orphan and "send" in world.user:
        yield "the user sends an orphan", _shown(world, left._replace(orphan=False))._replace(by_hand=True)
    if state.visible and "forget" in world.user:
        yield "the user deletes the sent mail", left._replace(visible=False)


def _people(world: World, state: State) -> Iterator[Step]:
    if world.stops and state.phase in ("queued", "drafted"):
        yield "a person cancels", state._replace(phase="cancelled")
    if state.phase not in DOUBTS or not world.words:
        return
    yield "a person says: it was sent", state._replace(phase="said sent")
    yield "a person says: do not send", state._replace(phase="dropped")
    if state.word < world.words:
        again = state._replace(word=state.word + 1, kills=0, resends=0, holder=NOBODY, leased=False)
        if state.phase == "doubt unsent":
            yield "a person says: send again, same draft", again._replace(phase="drafted")
        else:
            yield "a person says: send again", again._replace(phase="queued", draft=NONE)


def _janitor(state: State) -> Iterator[Step]:
    over = state.phase in ("refused", "cancelled", "dropped")
    if over and state.draft != NONE and state.drafts[state.draft] == "d":
        yield "the janitor deletes the row's draft", _draft(state, state.draft, "x")
    if state.orphan:
        yield "the janitor deletes an orphan", state._replace(orphan=False)
