"""What a cell's answer must be by the declared tables, what it may show, and what it may change."""

from __future__ import annotations

from django.http import HttpResponse

from accounts.models import Role
from tests.isolation.cells import Cell
from tests.isolation.expected import API, INSIDE, OUTSIDE, WRITES_ON_GET
from tests.isolation.offers import refused_offers
from tests.isolation.rules import Audience, Call, Door, Rule
from tests.isolation.words import deep, hush
from tests.isolation.world import DEAD, MINE, SCOPES, Visitor, World

SIGN_IN = "/accounts/login/"
TAKEN = (200, 204, 302, 422)
# 409: the row stands as it stands, for whoever may.
CALL_TAKEN = (200, 201, 204, 409)
# Mailboxes and notes of their own.
OWN = {Visitor.MEMBER: ["quiet", "quiet_note"], Visitor.VIEWER: ["viewers"]}
# The record of requests, and when a key was last used.
CALLS_NOTED = frozenset({"accounts_apirequest", "accounts_apikey"})


def judge(
    world: World, cell: Cell, url: str, answer: HttpResponse, changed: list[str], told: set[str]
) -> list[str]:
    foreign = world.addresses[0] if cell.visitor.is_theirs else world.addresses[1]
    wrong = [*_status(cell, answer), *_words(world, cell, answer), *_writing(cell, answer, changed)]
    wrong += [f"mails {address}" for address in sorted(told & foreign)]
    if cell.case is not None and cell.case.hides and cell.case.hides.encode() in answer.content:
        wrong.append(f"shows {cell.case.hides!r}")
    if cell.method == "GET" and answer.status_code in (200, 422) and cell.where == "here":
        own = {str(world.ours.rows[name].pk) for name in OWN.get(cell.visitor, ())}
        wrong += refused_offers(answer, url, cell.visitor.role, own)
    return wrong


def expected(cell: Cell) -> tuple[int, ...]:
    """The statuses that this cell may have."""
    if cell.case is not None:
        return cell.case.answers
    if cell.address.is_api:
        return _calling(cell, API[cell.address.name])
    if not cell.address.is_inside:
        return _outside(cell, OUTSIDE[cell.address.name])
    rule = INSIDE[cell.address.name]
    if cell.visitor is Visitor.ANONYMOUS or cell.visitor.is_key:
        return (302,)  # a key opens the API and no page
    if cell.where == "here":
        role = cell.visitor.role
        if role is None:
            return (404,)
        if cell.visitor is Visitor.ELSEWHERE and rule.project and role.rank >= rule.lowest.rank:
            return _hidden(rule, cell.method)
        if cell.visitor is Visitor.ELSEWHERE and cell.method in rule.all_projects:
            return (200, 403, 422)  # the form again with the reason in it, and nothing is made
        return _inside(rule, role, cell.method)
    if cell.where == "crossed" and cell.address.takes_rows:
        return _hidden(rule, cell.method)
    # Their own page with ids of ours in it: refused, or as if nothing had been named.
    return (*_inside(rule, Role.OWNER, cell.method), 400, 404)


def _inside(rule: Rule, role: Role, method: str) -> tuple[int, ...]:
    if method in rule.least:
        return TAKEN if role.rank >= rule.least[method].rank else (403,)
    if role.rank < rule.lowest.rank:
        return (403,)
    if method == "HEAD" and "GET" in rule.least:
        return (405, 200, 204, 302) if role.rank >= rule.least["GET"].rank else (403, 405)
    return (405,)


def _hidden(rule: Rule, method: str) -> tuple[int, ...]:
    """Who may use such a page, but not this row."""
    if method in rule.least:
        return (404,)
    return (404, 405) if method == "HEAD" else (405,)


def _outside(cell: Cell, door: Door) -> tuple[int, ...]:
    signed_out = cell.visitor is Visitor.ANONYMOUS or cell.visitor.is_key
    if door.audience is Audience.SIGNED_IN and signed_out:
        return (302,) if cell.method in door.methods else (302, 405)
    return door.answers if cell.method in door.methods else (*door.answers, 405)


def _calling(cell: Cell, calls: dict[str, Call]) -> tuple[int, ...]:
    """An operation of the API. Which methods there are is no secret: the schema says so."""
    visitor, method = cell.visitor, "GET" if cell.method == "HEAD" else cell.method
    if visitor is Visitor.ANONYMOUS or visitor in DEAD:
        return (401,)
    if cell.where == "here" and not visitor.is_key and visitor.role is None:
        return (404,)
    call = calls.get(method)
    if call is None:
        return (403, 405)
    if visitor.is_key:
        may = not call.scope or call.scope in SCOPES[visitor]
    else:
        role = visitor.role or Role.OWNER
        may = role.rank >= call.least.rank
    if not may:
        return (403,)
    if cell.where == "crossed" and cell.address.takes_rows:
        return (404,)
    if visitor is Visitor.ELSEWHERE and call.project:
        return (404,)
    if visitor is Visitor.ELSEWHERE and call.names_project:
        return (400,)
    return CALL_TAKEN if cell.where == "here" else (*CALL_TAKEN, 400, 404, 422)


def _status(cell: Cell, answer: HttpResponse) -> list[str]:
    allowed = expected(cell)
    if answer.status_code not in allowed:
        return [f"{answer.status_code} in place of {' or '.join(map(str, allowed))}"]
    if answer.status_code != 302:
        return []
    to_sign_in = answer.headers["Location"].startswith(SIGN_IN)
    closed = cell.address.is_inside or OUTSIDE[cell.address.name].audience is Audience.SIGNED_IN
    signed_out = cell.visitor is Visitor.ANONYMOUS or cell.visitor.is_key
    if signed_out and closed and not to_sign_in:
        return ["a signed-out visitor is not led to the sign-in"]
    if not signed_out and cell.address.is_inside and to_sign_in:
        return ["a signed-in visitor is led to the sign-in"]
    return []


def _words(world: World, cell: Cell, answer: HttpResponse) -> list[str]:
    """No word of a workspace, a project or a mailbox that is not the visitor's."""
    ours = cell.visitor.role is not None or (cell.visitor.is_key and not cell.visitor.is_theirs)
    hidden = [] if ours else [world.ours.word]
    if not cell.visitor.is_theirs:
        hidden.append(world.theirs.word)
    if cell.visitor is Visitor.ELSEWHERE:
        hidden.append(deep(world.ours.word))
    if cell.visitor is not Visitor.OWNER:
        hidden.append(MINE)
    if ours and cell.visitor is not Visitor.MEMBER:
        hidden.append(hush(world.ours.word))
    text = answer.content + repr(sorted(answer.headers.items())).encode()
    wrong = [f"shows {word!r}" for word in hidden if word.encode() in text]
    leads = answer.headers.get("Location", "") if not cell.address.is_inside else ""
    if not ours and leads.startswith(f"/w/{world.ours.here.slug}/"):
        wrong.append("leads to our workspace")
    return wrong


def _writing(cell: Cell, answer: HttpResponse, changed: list[str]) -> list[str]:
    return [f"changes {what}" for what in changed if not _may_change(cell, answer, what)]


def _may_change(cell: Cell, answer: HttpResponse, what: str) -> bool:
    """`what` is a table of our workspace, "theirs: table", or "crossing: column", which is never right."""
    if cell.case is not None and what in cell.case.keeps:
        return False
    if cell.case is not None and not cell.case.taken:
        # That the cell itself has made the workspace strict is no change of the visitor's.
        return what in CALLS_NOTED or (bool(cell.case.workspace) and what == "accounts_workspace")
    kind, _, table = what.rpartition(": ")
    home = "theirs" if cell.visitor.is_theirs else ""
    belongs = cell.visitor.is_theirs or cell.visitor.role is not None or cell.visitor.is_key
    if kind != home or not belongs:
        return False
    if cell.address.is_api and table in CALLS_NOTED:
        return True
    if cell.visitor is Visitor.ELSEWHERE and cell.address.is_inside:
        rule = INSIDE[cell.address.name]
        if cell.method in rule.all_projects:
            return False
    if cell.method in ("GET", "HEAD"):
        return table in WRITES_ON_GET.get(cell.address.name, ())
    return answer.status_code < 400
