"""Why a mail may be read, which permissions are asked, and why (promises 2, 14; Limited Use policy)."""

import enum
from dataclasses import dataclass


class Purpose(enum.Enum):
    """Every full read of a mail names one of these; there is no other."""

    REPLY_IN_OUR_THREAD = "reply_in_our_thread"
    BOUNCE_OF_OUR_MAIL = "bounce_of_our_mail"
    OUR_OWN_DRAFT = "our_own_draft"
    A_PERSON_SAID_IT_ANSWERS = "a_person_said_it_answers"


GOOGLE_SCOPES = (
    "openid",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/gmail.compose",
    "https://www.googleapis.com/auth/gmail.readonly",
)
MICROSOFT_SCOPES = ("Mail.ReadWrite", "Mail.Send", "User.Read")


@dataclass(frozen=True)
class Permission:
    """One permission as the page before consent explains it."""

    title: str
    why: str
    scopes: tuple[str, ...]


PERMISSIONS: dict[str, tuple[Permission, ...]] = {
    "google": (
        Permission(
            "Write and send a draft",
            "So that an unclear answer never becomes a second mail: a draft can leave once.",
            (GOOGLE_SCOPES[2],),
        ),
        Permission(
            "Read our own threads",
            "To find replies, auto-replies and bounces. Other mail is never fetched in full or stored.",
            (GOOGLE_SCOPES[3],),
        ),
        Permission(
            "Know your address",
            "To show which account is connected. Nothing else of the profile.",
            GOOGLE_SCOPES[:2],
        ),
    ),
    "microsoft": (
        Permission(
            "Write and send a draft",
            "So that an unclear answer never becomes a second mail: a draft can leave once.",
            ("Mail.ReadWrite", "Mail.Send"),
        ),
        Permission(
            "Read our own threads",
            "To find replies, auto-replies and bounces. Other mail is never fetched in full or stored.",
            ("Mail.ReadWrite",),
        ),
        Permission(
            "Know your address",
            "To show which account is connected. Nothing else of the profile.",
            ("User.Read",),
        ),
    ),
}
