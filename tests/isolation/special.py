"""Cells that an address and a role alone do not tell: whose row it is, and what is asked for.

Each is refused, and nothing changes, where it does not say `taken`.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from allauth.socialaccount.internal.statekit import STATES_SESSION_KEY

from mailbox.oauth import SESSION_KEY
from tests.isolation.world import Visitor, World


@dataclass(frozen=True)
class Case:
    """`rows`: another row for an argument of the address than tests/isolation/house.py names.

    `naming`, `foreign`: fields that name a row of ours, or of theirs. `session`: what the browser's session
    holds besides. `hides`: words that the answer does not hold. `keeps`: tables that stay as they are.
    `theirs`: at the other workspace. `workspace`: columns of the workspace as they stand for this cell alone.
    """

    title: str
    address: str
    visitor: Visitor
    fields: dict[str, str] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)
    answers: tuple[int, ...] = (403,)
    method: str = "POST"
    workspace: dict[str, bool] = field(default_factory=dict)
    taken: bool = False
    theirs: bool = False
    hides: str = ""
    keeps: frozenset[str] = frozenset()
    naming: dict[str, str] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)
    session: Callable[[World], dict[str, Any]] | None = None


def _consent_begun(world: World) -> dict[str, Any]:
    """As if this browser had begun to connect a mailbox in our workspace."""
    state = hashlib.sha256(STATE.encode()).hexdigest()
    return {SESSION_KEY: {state: [str(world.ours.here.pk), str(uuid.uuid4())]}}


def _entrance_begun(world: World) -> dict[str, Any]:
    """As if somebody else had begun to sign in from this browser."""
    begun = {"process": "login", "user": world.people[Visitor.OWNER].pk, "next": None}
    return {STATES_SESSION_KEY: {STATE: (begun, time.time(), "google")}}


def _proved_long_ago(world: World) -> dict[str, Any]:
    """As if this browser had signed in ages ago: in the matrix a proof lives for a day."""
    return {"account_authentication_methods": [{"method": "password", "at": 0}]}


STATE = "begun-by-somebody"
_BACK = {"state": STATE, "error": "access_denied"}

_ADMIN, _MEMBER, _OWNER, _VIEWER = Visitor.ADMIN, Visitor.MEMBER, Visitor.OWNER, Visitor.VIEWER
_GONE = (404,)
_SAID = (302, 403, 422)  # the page again, with a sentence
_MAILBOXES = frozenset({"mailbox_mailbox", "mailbox_credential", "mailbox_pendingconsent"})
_CAP = {"display_name": "Taken over", "daily_cap": "5"}
_STRICT = {"requires_two_factors": True}
_PRIVATE = {"about": "replies", "replies": "private"}
_SHARED = {"about": "replies", "replies": "shared"}
_STRANGER = {"email": "stranger@people.example", "role": "viewer", "all_projects": "on"}
_NONE: dict[str, str] = {}
_DOUBTS, _RUNNING = "outreach:doubts", {"campaign": "running"}
_AS_OWNER = {"email": "x@other.example", "role": "owner"}
CASES = [
    Case("an owner’s role", "member_role", _ADMIN, {"role": "viewer"}, {"pk": "boss"}, _SAID),
    Case("the owner’s role for somebody", "member_role", _ADMIN, {"role": "owner"}, {}, _SAID),
    Case("an owner’s projects", "member_projects", _ADMIN, {}, {"pk": "boss"}, _SAID),
    Case("an owner’s place", "member_remove", _ADMIN, {}, {"pk": "boss"}, _SAID),
    Case("their own role", "member_role", _ADMIN, {"role": "owner"}, {"pk": "admin"}, _SAID),
    Case("an owner by invitation", "invitation_new", _ADMIN, _AS_OWNER, {}, _SAID),
    # Somebody who is a member elsewhere is told apart from nobody.
    Case("a stranger by invitation", "invitation_new", _OWNER, _STRANGER, answers=(302,), taken=True),
    Case("who reads replies", "outreach:mailbox", _ADMIN, _PRIVATE),
    Case("who reads replies", "outreach:mailbox", _MEMBER, _PRIVATE),
    Case("a quiet mailbox opened", "outreach:mailbox", _OWNER, _SHARED, {"pk": "quiet"}),
    Case("two factors for all", "settings", _ADMIN, {"about": "factors", "required": "yes"}),
    Case("no second factor", "outreach:contact_delete", _MEMBER, answers=(302,), workspace=_STRICT),
    Case("no second factor", "outreach:contacts", _MEMBER, answers=(302,), method="GET", workspace=_STRICT),
    Case("no second factor", "api:contacts", _ADMIN, method="GET", workspace=_STRICT),
    Case("a second factor", "member", _MEMBER, {}, {"pk": "boss"}, (200,), "GET", hides="Second factor"),
    Case("every campaign", "outreach:campaigns", Visitor.ELSEWHERE, answers=(200,), method="GET"),
    *(
        Case("no operator", "staff", visitor, answers=_GONE, method="GET")
        for visitor in (_OWNER, _ADMIN, _MEMBER, _VIEWER, Visitor.STRANGER, Visitor.EX_MEMBER)
    ),
    Case("an operator", "staff", Visitor.STAFF, answers=(200,), method="GET"),
    Case(
        "a proof of long ago", "staff", Visitor.STAFF, _NONE, _NONE, (302,), "GET", session=_proved_long_ago
    ),
    Case("our campaign’s", _DOUBTS, Visitor.ELSEWHERE, _NONE, _NONE, _GONE, "GET", naming=_RUNNING),
    Case("their campaign’s", _DOUBTS, _OWNER, _NONE, _NONE, _GONE, "GET", foreign=_RUNNING),
    Case("leaves alone", "leave", _ADMIN, answers=(302,), taken=True, keeps=_MAILBOXES),
    Case("leaves nobody", "leave", Visitor.STRANGER, answers=_SAID, theirs=True),
    Case("a viewer’s own mailbox", "outreach:mailbox", Visitor.VIEWER, _CAP, {"pk": "viewers"}),
    Case("a private thread", "outreach:thread_answer", _OWNER, {"text": "Hi"}, {"pk": "quiet_thread"}, _GONE),
    Case("a private thread", "outreach:thread_done", _ADMIN, {}, {"pk": "quiet_thread"}, _GONE),
    Case("their own thread", "outreach:thread", _MEMBER, {}, {"pk": "quiet_thread"}, (200,), "GET"),
    Case(
        "a reply of another thread",
        "outreach:thread_label",
        _MEMBER,
        {"label": "declined"},
        answers=_GONE,
        naming={"reply": "quiet_reply"},
    ),
    Case(
        "their link",
        "outreach:case_links",
        _OWNER,
        {"state": "gone"},
        answers=_GONE,
        foreign={"link": "link"},
    ),
    Case(
        "every project",
        "member_projects",
        _OWNER,
        {"all_projects": "on"},
        {"pk": "viewer"},
        answers=(302,),
        taken=True,
        keeps=frozenset({"outreach_projectaccess"}),
    ),
    Case("begun here", "mailbox:callback", _VIEWER, _BACK, {}, (400,), "GET", session=_consent_begun),
    Case(
        "begun here", "mailbox:callback", Visitor.STRANGER, _BACK, {}, (400,), "GET", session=_consent_begun
    ),
    Case("begun by another", "social_callback", _MEMBER, _BACK, {}, (400,), "GET", session=_entrance_begun),
]
