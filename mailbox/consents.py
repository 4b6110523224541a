"""The ways a consent can end without a connection. Each has a page that says how to go on."""

from __future__ import annotations

import re


class ConsentError(Exception):
    """A consent that gives no connection. `code` names the page that says how to go on."""

    code = "stale"

    def __init__(self, detail: str = "", *, names: tuple[str, ...] = ()) -> None:
        # It may come from the browser's address and goes into the log: one short line.
        self.detail = re.sub(r"[^\w .:-]", "?", detail)[:80]
        super().__init__(self.detail or self.code)
        self.names = names


class Stale(ConsentError):
    """The state is unknown, used, too old, of another browser, person or provider."""

    code = "stale"


class Declined(ConsentError):
    """The person said no at the provider."""

    code = "declined"


class Withheld(ConsentError):
    """A needed permission was left unticked; `names` are titles of limited_use.PERMISSIONS."""

    code = "withheld"


class NeedsAdmin(ConsentError):
    """The organisation lets only its admin approve apps."""

    code = "admin"


class NoMailbox(ConsentError):
    """The account has no mailbox that the provider's API can reach."""

    code = "no_mailbox"


class OtherAccount(ConsentError):
    """A reconnect came back with another account; `names` holds the address that was meant."""

    code = "other_account"


class Elsewhere(ConsentError):
    """The account has a live connection that is not in this workspace (T10). Says nothing about where."""

    code = "elsewhere"


class Unreachable(ConsentError):
    """The provider gave no usable answer. Nothing is stored; trying again is safe."""

    code = "unreachable"
