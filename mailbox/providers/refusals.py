"""From a provider's refusal to what to do next, by a table of rules that each provider brings."""

from __future__ import annotations

import enum
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from mailbox import failures
from mailbox.errors import Disconnected, MailboxError, Refused, Retry, Uncertain
from mailbox.providers.base import Gone, Stale, Unauthorized
from mailbox.providers.retry_after import CAP, wait

logger = logging.getLogger(__name__)

# What a send call may answer with a parsed error and thereby say "not accepted" (providers.md 3.6).
NOT_ACCEPTED = frozenset({400, 401, 403, 404, 413, 429})


class Act(enum.Enum):
    REFUSE = "this mail will never be taken"
    WAIT = "later"
    STOP = "a person must act"
    OURS = "our project's configuration: later, and the operator is told"
    AUTH = "the token was not taken"
    GONE = "not there"
    STALE = "the cursor is dead"


@dataclass(frozen=True)
class Rule:
    """The first rule that fits counts. No `codes`: any; `words` must occur in the message."""

    status: int
    act: Act
    reason: str
    codes: tuple[str, ...] = ()
    words: str = ""
    after: float = 60.0

    def fits(self, problem: Problem) -> bool:
        known = {code.lower() for code in problem.codes}
        return (
            self.status == problem.status
            and (not self.codes or any(code.lower() in known for code in self.codes))
            and self.words.lower() in problem.message.lower()
        )


@dataclass(frozen=True)
class Problem:
    """An answer that is no success. `codes` are the provider's, empty when the body cannot be read.

    `claims`: what the next token must be fetched with, as JSON.
    """

    provider: str
    status: int
    headers: Mapping[str, str]
    codes: tuple[str, ...] = ()
    message: str = ""
    trace: str = ""
    claims: str = ""

    @property
    def detail(self) -> str:
        """For the log and the operator. The message stays out: it may hold an address."""
        return " ".join(part for part in (str(self.status), *self.codes[:2], self.trace) if part)


def refuse(problem: Problem, rules: Sequence[Rule], *, once: bool) -> NoReturn:
    """Count the problem and raise what follows from it. `once`: the send call, where doubt stays doubt."""
    status = problem.status
    rule = next((rule for rule in rules if rule.fits(problem)), None)
    kind = _kind(status, rule.reason if rule else "")
    if kind is not None:
        failures.note(problem.provider, kind)
    error = _following(problem, rule, once=once)
    if isinstance(error, MailboxError):
        error.status = status
    raise error


def _kind(status: int, reason: str) -> failures.Kind | None:
    """Whose figure it is; None for what is about one mail, or about our registration."""
    if status >= 500:
        return failures.Kind.SERVER_ERROR
    if status == 429 or reason in ("throttled", "daily_limit"):
        return failures.Kind.THROTTLED
    if status == 401 or reason in ("permission_missing", "blocked_by_admin"):
        return failures.Kind.AUTH
    return None


def _following(problem: Problem, rule: Rule | None, *, once: bool) -> Exception:
    status = problem.status
    readable = bool(problem.codes) or status == 401
    if once and (status not in NOT_ACCEPTED or not readable):
        return Uncertain(f"http_{status}", problem.detail)
    if rule is None or not readable:
        return Retry("no_answer", problem.detail, after=wait(problem.headers, problem.message))
    if rule.act is Act.AUTH:
        return Unauthorized(problem.detail, claims=problem.claims)
    if rule.act is Act.GONE:
        # Another attempt may have used the draft: only a look after the settle time can tell.
        return Uncertain("draft_gone", problem.detail) if once else Gone(problem.detail)
    if rule.act is Act.STALE:
        return Stale(problem.detail)
    return _mailbox_error(rule, problem)


def _mailbox_error(rule: Rule, problem: Problem) -> MailboxError:
    if rule.act is Act.REFUSE:
        return Refused(rule.reason, problem.detail)
    if rule.act is Act.STOP:
        return Disconnected(rule.reason, problem.detail)
    if rule.act is Act.OURS:
        logger.error("a provider refuses our configuration: %s %s", rule.reason, problem.detail)
    after = wait(problem.headers, problem.message, default=rule.after)
    reason = "daily_limit" if after > CAP and rule.reason == "throttled" else rule.reason
    return Retry(reason, problem.detail, after=after)
