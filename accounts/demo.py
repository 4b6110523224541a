"""Who can sign in to the demo: the command that makes the demo's data and the sign-in page both read this."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SignIn:
    role: str
    name: str
    email: str
    password: str


SIGN_INS = (
    SignIn("marketer", "Mira", "mira@fernhill.example", "outreach-demo-mira"),
    SignIn("admin", "Odalys", "odalys@fernhill.example", "outreach-demo-odalys"),
)
