"""What went wrong at a provider. The class says what to do next (providers.md 3.6, 5.5, 7.4)."""


class MailboxError(Exception):
    """Base. `reason` is a stable code, `detail` the provider's own words without content of mails.

    `status`: that of the provider's answer; 0 where none came, or where nobody was asked.
    """

    status = 0

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Retry(MailboxError):
    """Certainly not accepted; try again after `after` seconds (at most 3,600)."""

    def __init__(self, reason: str, detail: str = "", *, after: float = 60.0) -> None:
        super().__init__(reason, detail)
        self.after = min(max(after, 1.0), 3600.0)


class Refused(MailboxError):
    """This mail will never be accepted as it is. Do not try again."""


class Disconnected(MailboxError):
    """The mailbox cannot be used until a person acts: reconnect, admin's consent, or it was revoked."""


class Uncertain(MailboxError):
    """The provider may or may not have accepted. Never try again before settle has looked."""
