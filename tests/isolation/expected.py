"""Who may do what at every address: declared here, by hand, and compared with what the product does.

Nothing in this module is read from the code under test: a view whose check is lowered or lost turns a cell
red, and so does an address that is not named. A new address needs one line: INSIDE for one below
/w/<slug>/ (the least role for each method that it takes), OUTSIDE for any other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from accounts.models import Role

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
VIEWER, MEMBER, ADMIN, OWNER = Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER


@dataclass(frozen=True)
class Rule:
    """An address of a workspace: method → the least role. What is not named is not taken (405).

    `project`: what stands there belongs to one project, and is not there for who does not see it.
    `all_projects`: methods that change nothing for who sees some projects only.
    `own`: the least role with a row of one's own; the matrix comes to somebody else's.
    """

    least: dict[str, Role] = field(default_factory=dict)
    project: bool = False
    own: Role | None = None
    all_projects: frozenset[str] = frozenset()

    @property
    def lowest(self) -> Role:
        """Below it, nothing of the address is said: not even which methods it takes."""
        return self.own or min(self.least.values(), key=lambda role: role.rank)


class Audience(Enum):
    EVERYBODY = "everybody"
    SIGNED_IN = "whoever is signed in"


@dataclass(frozen=True)
class Door:
    """An address outside every workspace. `answers` are the statuses that its audience may meet."""

    audience: Audience = Audience.EVERYBODY
    methods: tuple[str, ...] = ("GET",)
    answers: tuple[int, ...] = (200, 302)


def reads(role: Role, *, project: bool = False) -> Rule:
    return Rule({"GET": role}, project)


def acts(role: Role, *, project: bool = False) -> Rule:
    return Rule({"POST": role}, project)


def asks(role: Role, *, project: bool = False, own: Role | None = None) -> Rule:
    """A page with its form: who may not send it does not see it either."""
    return Rule({"GET": role, "POST": role}, project, own)


def shows(role: Role, act: Role, *, project: bool = False) -> Rule:
    """Read from `role` on, changed from `act` on."""
    return Rule({"GET": role, "POST": act}, project)


def _makes_projects(role: Role) -> Rule:
    """A new project would be one that a member with some projects only does not see."""
    return Rule({"GET": role, "POST": role}, all_projects=frozenset({"POST"}))


INSIDE: dict[str, Rule] = {
    # --- the workspace
    # A person's own name is theirs to change, whatever their role; SENT posts the workspace's half.
    "settings": shows(VIEWER, ADMIN),
    "activity": reads(ADMIN),
    "activity_export": asks(ADMIN),
    "activity_verifier": reads(ADMIN),
    "activity_mail": acts(OWNER),
    "members": reads(VIEWER),
    "member": reads(VIEWER),
    "leave": asks(VIEWER),
    "member_role": acts(ADMIN),
    "member_projects": acts(ADMIN),
    "member_remove": asks(ADMIN),
    "member_transfer": asks(OWNER),
    "invitation_new": asks(ADMIN),
    "invitation_resend": acts(ADMIN),
    "invitation_withdraw": acts(ADMIN),
    "keys": reads(ADMIN),
    "token_show": acts(ADMIN),
    "key_new": asks(ADMIN),
    "key_rotate": asks(ADMIN),
    "key_revoke": asks(ADMIN),
    "requests": reads(ADMIN),
    "requests_csv": reads(ADMIN),
    "outreach:home": reads(VIEWER),
    # --- mailboxes: SENT and ROWS name the owner's; a member may do this with their own only
    "mailbox:connect": reads(MEMBER),
    "mailbox:start": acts(MEMBER),
    "mailbox:problem": reads(MEMBER),
    "mailbox:confirm": asks(MEMBER),
    "outreach:mailboxes": reads(VIEWER),
    "outreach:mailbox": shows(VIEWER, ADMIN),
    "outreach:mailbox_compare": acts(MEMBER),
    "outreach:mailbox_revoke": asks(ADMIN, own=VIEWER),
    "outreach:receipt": reads(VIEWER),
    "outreach:receipt_lines": reads(VIEWER),
    "outreach:receipt_text": reads(VIEWER),
    # --- projects
    "outreach:projects": reads(VIEWER),
    "outreach:project_new": _makes_projects(MEMBER),
    "outreach:project": reads(VIEWER, project=True),
    "outreach:project_edit": asks(MEMBER, project=True),
    "outreach:project_delete": asks(MEMBER, project=True),
    # --- campaigns
    "outreach:campaigns": reads(VIEWER, project=True),  # SENT asks for one project's
    "outreach:campaign_new": asks(MEMBER),
    "outreach:campaign": reads(VIEWER, project=True),
    "outreach:campaign_log": reads(VIEWER, project=True),
    "outreach:campaign_people": asks(MEMBER, project=True),
    "outreach:campaign_person": reads(VIEWER, project=True),
    "outreach:campaign_remove": asks(MEMBER, project=True),
    "outreach:enrollment_pause": acts(MEMBER, project=True),
    "outreach:enrollment_go_on": acts(MEMBER, project=True),
    "outreach:enrollment_skip": asks(MEMBER, project=True),
    "outreach:enrollments_selected": asks(MEMBER, project=True),
    "outreach:campaign_settings": asks(MEMBER, project=True),
    "outreach:campaign_compose": shows(VIEWER, MEMBER, project=True),
    "outreach:campaign_preview": reads(VIEWER, project=True),
    "outreach:campaign_checks": reads(VIEWER, project=True),
    "outreach:campaign_mode": acts(MEMBER, project=True),
    "outreach:step_new": acts(MEMBER, project=True),
    "outreach:step_delete": asks(MEMBER, project=True),
    "outreach:campaign_launch": asks(MEMBER, project=True),
    "outreach:campaign_test": acts(MEMBER, project=True),
    "outreach:campaign_pause": acts(MEMBER, project=True),
    "outreach:campaign_resume": acts(MEMBER, project=True),
    "outreach:campaign_cancel": asks(MEMBER, project=True),
    "outreach:campaign_duplicate": acts(MEMBER, project=True),
    "outreach:campaign_delete": asks(MEMBER, project=True),
    "outreach:doubts": shows(VIEWER, MEMBER),
    "outreach:doubt": asks(MEMBER, project=True),
    # --- library of texts
    "outreach:library": reads(VIEWER),
    "outreach:library_new": asks(MEMBER),
    "outreach:library_text": shows(VIEWER, MEMBER),
    "outreach:library_duplicate": acts(MEMBER),
    "outreach:library_delete": asks(MEMBER),
    "outreach:library_pick": reads(VIEWER),
    "outreach:library_words": reads(VIEWER),
    "outreach:example_words": reads(VIEWER),
    "outreach:example_copy": acts(MEMBER),
    # --- people
    "outreach:contacts": reads(VIEWER),
    "outreach:contact": reads(VIEWER),
    "outreach:contact_new": asks(MEMBER),
    "outreach:contact_edit": asks(MEMBER),
    "outreach:contact_delete": asks(MEMBER),
    "outreach:contacts_import": asks(MEMBER),
    "outreach:contact_imports": reads(MEMBER),
    "outreach:contact_import": asks(MEMBER),
    "outreach:contact_import_rejects": reads(MEMBER),
    "outreach:contact_import_cancel": acts(MEMBER),
    "outreach:contact_import_undo": asks(MEMBER),
    "outreach:sites": reads(VIEWER),
    "outreach:site": reads(VIEWER),
    "outreach:suppressions": reads(VIEWER),
    "outreach:suppression_new": asks(MEMBER),
    "outreach:suppression_lift": asks(MEMBER),
    # --- inbox
    "outreach:inbox": reads(VIEWER),
    "outreach:suggestions": reads(VIEWER),
    "outreach:suggestion_decide": acts(MEMBER, project=True),
    "outreach:thread": reads(VIEWER, project=True),
    "outreach:thread_answer": acts(MEMBER, project=True),
    "outreach:thread_attach": acts(MEMBER, project=True),
    "outreach:attachment": reads(VIEWER, project=True),
    "outreach:attachment_remove": acts(MEMBER, project=True),
    "outreach:thread_done": acts(MEMBER, project=True),
    "outreach:thread_label": asks(MEMBER, project=True),
    "outreach:thread_unread": acts(MEMBER, project=True),
    "outreach:thread_assign": acts(MEMBER, project=True),
    "outreach:thread_snooze": acts(MEMBER, project=True),
    "outreach:thread_note": acts(MEMBER, project=True),
    "outreach:thread_writing": acts(MEMBER, project=True),
    "outreach:note_remove": Rule({"POST": ADMIN}, project=True, own=MEMBER),
    "outreach:inbox_news": reads(VIEWER),
    "outreach:reply_frame": asks(VIEWER, project=True),
    # --- removals
    "outreach:removals": reads(VIEWER),
    "outreach:removal_new": _makes_projects(MEMBER),
    "outreach:removal": reads(VIEWER, project=True),
    "outreach:removal_import": asks(MEMBER, project=True),
    "outreach:removal_text": shows(VIEWER, MEMBER, project=True),
    "outreach:removal_verdicts": asks(MEMBER, project=True),
    "outreach:removal_write": asks(MEMBER, project=True),
    "outreach:removal_pause": acts(MEMBER, project=True),
    "outreach:disavow": reads(VIEWER, project=True),
    "outreach:case": reads(VIEWER, project=True),
    "outreach:case_verdict": asks(MEMBER, project=True),
    "outreach:case_contact": asks(MEMBER, project=True),
    "outreach:case_links": acts(MEMBER, project=True),
    "outreach:case_scope": acts(MEMBER, project=True),
}


@dataclass(frozen=True)
class Call:
    """One operation of the API: the least role of a browser session, and the scope of a key ("" for any)."""

    least: Role
    scope: str = ""
    project: bool = False


_READ = "read"
API: dict[str, dict[str, Call]] = {
    "api:me": {"GET": Call(VIEWER)},
    "api:workspaces": {"GET": Call(VIEWER, _READ)},
    "api:workspace": {"GET": Call(VIEWER, _READ)},
    "api:projects": {"GET": Call(VIEWER, _READ)},
    "api:project": {"GET": Call(VIEWER, _READ, project=True)},
    "api:contacts": {"GET": Call(VIEWER, _READ), "POST": Call(MEMBER, "contacts:write")},
    "api:contact": {"GET": Call(VIEWER, _READ)},
    "api:mailboxes": {"GET": Call(VIEWER, _READ)},
    "api:mailbox": {"GET": Call(VIEWER, _READ)},
    "api:campaigns": {"GET": Call(VIEWER, _READ)},
    "api:campaign": {"GET": Call(VIEWER, _READ, project=True)},
    "api:campaign_messages": {"GET": Call(VIEWER, _READ, project=True)},
    "api:message_why": {"GET": Call(VIEWER, _READ, project=True)},
    "api:texts": {"GET": Call(VIEWER, _READ), "POST": Call(MEMBER, "library:write")},
    "api:text": {
        "GET": Call(VIEWER, _READ),
        "PATCH": Call(MEMBER, "library:write"),
        "DELETE": Call(MEMBER, "library:write"),
    },
    "api:campaign_launch": {"POST": Call(MEMBER, "campaigns:launch", project=True)},
}

_PERSON = Audience.SIGNED_IN
_FORM = ("GET", "POST")
OUTSIDE: dict[str, Door] = {
    "landing": Door(_PERSON),
    "new_workspace": Door(_PERSON, _FORM, (200, 302, 422)),
    "service_mail": Door(answers=(404,)),
    "privacy": Door(),
    "cookies": Door(),
    "healthz": Door(),
    "readyz": Door(),
    "staff": Door(_PERSON, answers=(200, 404)),  # 200 for operators alone: tests/isolation/special.py
    "metrics": Door(answers=(404,)),  # no token is set here
    "mailbox:callback": Door(answers=(400,)),
    "mailbox:stop": Door(methods=_FORM, answers=(200, 404)),  # the link in a notice, with no token of ours
    # Nobody signed it: what a push does is in tests/mailbox/test_webhooks.py.
    "mailbox:hook": Door(methods=("POST",), answers=(401, 429)),
    "join": Door(methods=_FORM, answers=(404,)),
    "api:schema": Door(),
    "api:docs": Door(),
    "api:nowhere": Door(methods=METHODS, answers=(404,)),
    "outreach:picture": Door(
        answers=(404,)
    ),  # with a token that nobody has minted: tests/outreach/test_pictures.py
    # With a token that nobody has minted; what a real one opens is in tests/tracking.
    "tracking:pixel": Door(),
    "tracking:click": Door(answers=(404,)),
    "tracking:opt_out": Door(methods=_FORM, answers=(404,)),
    "account_signup": Door(methods=_FORM),
    "account_login": Door(methods=_FORM),
    "account_logout": Door(methods=_FORM),
    "account_inactive": Door(),
    "account_reauthenticate": Door(_PERSON, _FORM),
    "account_change_password": Door(_PERSON, _FORM),
    "account_set_password": Door(_PERSON, _FORM),
    "account_reset_password": Door(methods=_FORM),
    "account_reset_password_done": Door(),
    "account_reset_password_from_key": Door(methods=_FORM),
    "account_reset_password_from_key_done": Door(),
    "account_email": Door(_PERSON, _FORM),
    "account_email_verification_sent": Door(),
    "account_confirm_email": Door(methods=_FORM, answers=(200, 302, 404)),
    "account_confirm_login_code": Door(methods=_FORM),
    "profile": Door(_PERSON, _FORM, (200, 302, 422)),
    "sign_ins": Door(_PERSON),
    "sign_ins_end": Door(_PERSON, ("POST",), (302, 404)),
    "go_on": Door(_PERSON),
    "sign_in_again": Door(_PERSON, _FORM),
    "socialaccount_connections": Door(_PERSON, _FORM),
    "social_start": Door(methods=("POST",), answers=(200, 302, 503)),  # no provider answers here
    "social_callback": Door(answers=(400,)),
    "mfa_index": Door(_PERSON),
    "mfa_authenticate": Door(methods=_FORM),
    "mfa_login_webauthn": Door(methods=_FORM),
    "mfa_reauthenticate": Door(_PERSON, _FORM),
    "mfa_reauthenticate_webauthn": Door(_PERSON, _FORM),
    "mfa_activate_totp": Door(_PERSON, _FORM),
    "mfa_deactivate_totp": Door(_PERSON, _FORM, (200, 302, 404)),
    "mfa_view_recovery_codes": Door(_PERSON, answers=(200, 404)),
    "mfa_download_recovery_codes": Door(_PERSON, answers=(200, 404)),
    "mfa_generate_recovery_codes": Door(_PERSON, _FORM),
    "mfa_list_webauthn": Door(_PERSON),
    "mfa_add_webauthn": Door(_PERSON, _FORM),
    "mfa_remove_webauthn": Door(_PERSON, _FORM, (200, 302, 404)),
    "mfa_edit_webauthn": Door(_PERSON, _FORM, (200, 302, 404)),
}

# A GET that writes: what it writes. The download of a disavow file stands in the activity log.
WRITES_ON_GET: dict[str, frozenset[str]] = {
    "outreach:disavow": frozenset({"accounts_auditevent", "accounts_audittext"})
}

# Forms that everybody is shown although the address also takes one that only some may send.
FOR_EVERYBODY = {"settings": "the person's own name stands beside the workspace's settings"}

# Columns that a form may set although tests/isolation/house.py does not send them: its optional fields.
ALSO_TAKEN: dict[str, frozenset[str]] = {
    "outreach:campaign_settings": frozenset(
        {"outreach_campaign.tracks_clicks", "outreach_campaign.tracks_opens"}
    ),
    "outreach:mailbox": frozenset({"mailbox_mailbox.signature"}),
    "outreach:suppression_new": frozenset({"outreach_suppression.note"}),
}

# (address, field): an id that is not theirs is left out, as one that is gone would be, and nothing changes:
# the form comes again with the reason in it, or a line says that nothing is selected.
LEAVES_OUT = frozenset(
    {
        ("outreach:campaign_new", "project"),
        ("outreach:campaign_new", "mailbox"),
        ("outreach:campaign_people", "contact"),
        ("outreach:doubts", "mail"),
        ("outreach:removal_verdicts", "case"),
        ("outreach:removal_write", "case"),
    }
)
