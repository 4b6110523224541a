"""A receipt's lines in words, for the page and as plain text. Neither holds any mail content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts import viewpoint
from mailbox.models import Receipt, ReceiptStep, StepState
from mailbox.receipts import number

TITLES = {
    "stopped": "Sending stopped",
    "token": "Token destroyed",
    "watch": "Watching stopped",
    "queue": "Queue cancelled",
    "unclear": "Unclear mails",
    "kept": "Kept by choice",
    "mail": "Stored mail",
    "provider": "The grant at {company}",
}
STATES = {
    StepState.DONE: ("g", "quiet", "Done"),
    StepState.DOING: ("m", "sending", "Doing now"),
    StepState.YOUR_TURN: ("w", "attention", "Your turn"),
}


@dataclass(frozen=True)
class Line:
    """`total` above 0: counted work under way, `count` of it done."""

    title: str
    sentence: str
    tone: str
    mark: str
    words: str
    at: datetime
    link: str
    count: int = 0
    total: int = 0

    @property
    def is_doing(self) -> bool:
        return self.tone == "m"


def company_of(receipt: Receipt) -> str:
    return "Google" if receipt.provider == "google" else "Microsoft"


def lines_of(receipt: Receipt) -> list[Line]:
    """In the order of the page."""
    lines = []
    for step in receipt.steps.all():
        if not _is_shown(step):
            continue
        tone, mark, words = STATES[StepState(step.state)]
        doing = step.state == StepState.DOING
        counted = step.code == "mail" and doing
        code = step.code.partition(":")[0]
        lines.append(
            Line(
                title=TITLES.get(code, code).format(company=company_of(receipt)),
                sentence=str(step.sentence),
                tone=tone,
                mark=mark,
                words=words,
                at=step.at,
                link=step.link,
                count=min(receipt.deleted, receipt.to_delete) if counted else 0,
                total=receipt.to_delete if counted else 0,
            )
        )
    return lines


def _is_shown(step: ReceiptStep) -> bool:
    """A line about mail that was kept names its project: it is for who sees that one."""
    here = viewpoint.current()
    kind, _, project = step.code.partition(":")
    if here is None or here.projects is None or kind != "kept":
        return True
    return any(one.hex.startswith(project) for one in here.projects)


def as_text(receipt: Receipt) -> str:
    """The receipt as a plain text file."""
    who = receipt.actor.get_full_name() if receipt.actor else "the product"
    head = [
        f"Receipt {number(receipt)}",
        f"Access to {receipt.address} is removed",
        "",
        f"Provider: {company_of(receipt)}",
        f"Removed by: {who}",
        f"Removed at: {_moment(receipt.at)}",
    ]
    if receipt.connected_at:
        head.append(f"Connected since: {_moment(receipt.connected_at)}")
    head += [
        f"Mails cancelled: {receipt.cancelled}",
        f"Mails deleted: {receipt.deleted}",
        f"Mails kept: {receipt.kept}",
        "",
    ]
    for line in lines_of(receipt):
        head += [f"[{line.words}] {line.title}, {_moment(line.at)}", f"    {line.sentence}"]
        if line.link:
            head.append(f"    {line.link}")
    head += ["", "This receipt holds no mail content. It stays for 7 years.", ""]
    return "\n".join(head)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"
