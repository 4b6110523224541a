"""Who may do what at every address: declared by hand, and compared with what the product does.

A new address needs one line: INSIDE of its area (tests/isolation/areas) for one below /w/<slug>/ (the least
role for each method that it takes), OUTSIDE for any other.
"""

from __future__ import annotations

from tests.isolation.areas import AREAS, PAGES, api
from tests.isolation.rules import (
    METHODS,
    Audience,
    Call,
    Door,
    Rule,
)

API: dict[str, dict[str, Call]] = api.API
INSIDE: dict[str, Rule] = {name: rule for area in PAGES for name, rule in area.INSIDE.items()}
ALSO_TAKEN: dict[str, frozenset[str]] = {k: v for area in AREAS for k, v in area.ALSO_TAKEN.items()}

# (address, field): an id that is not theirs is left out, as one that is gone would be, and nothing changes:
# the form comes again with the reason in it, or a line says that nothing is selected.
LEAVES_OUT = frozenset(one for area in AREAS for one in area.LEAVES_OUT)

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
