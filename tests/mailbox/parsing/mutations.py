"""Real mails with bytes changed, doubled, swapped and cut, and what reading them costs.

Seeded: the same seed gives the same mails.
"""

from __future__ import annotations

import contextlib
import math
import random
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mailbox.parsing import autoreplies, bounces, content, html, quoting

TOKENS = (
    b"\n", b"\r\n", b"\r", b"\n\n", b"\x00", b"--", b"=\n", b":", b";", b"<", b">", b'"', b"=?utf-8?b?/w==?=",
    b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: message/delivery-status\n\n",
    b"Content-Type: message/rfc822\n\n", b"Content-Type: text/html; charset=utf-7\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n",
    b"Final-Recipient: rfc822;", b"Action: failed\n", b"Status: 5.1.1\n", b"Diagnostic-Code: smtp; 550 ",
    b"Feedback-Type: abuse\n", b"> ", b" wrote:\n", b"From: ", b"until 31.02. ", b"\xed\xa0\x80", b"\xff\xfe",
    b"{\"notificationType\":\"Bounce\",", b"(expanded from <", b">>> RCPT TO:<", b"<<< 550 ",
    b"&#xD800;", b"<div>",
)  # fmt: skip
MOST_EDITS = 24
MOST_BYTES = 300_000


@dataclass
class Cost:
    mails: int = 0
    times: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    kib: int = 0

    def quantile(self, part: float) -> float:
        """Milliseconds."""
        times = sorted(self.times)
        return 1000 * times[min(len(times) - 1, math.ceil(len(times) * part) - 1)]

    def __str__(self) -> str:
        return (
            f"{self.mails} mails, {len(self.failures)} exceptions, p50 {self.quantile(0.5):.1f} ms, "
            f"p99 {self.quantile(0.99):.1f} ms, worst {self.quantile(1):.1f} ms, "
            f"memory grew by {self.kib} KiB"
        )


def mutated(samples: list[bytes], *, count: int, seed: int) -> Iterator[bytes]:
    dice = random.Random(seed)
    for number in range(count):
        mail = bytearray(samples[number % len(samples)][:MOST_BYTES])
        for _ in range(dice.randint(1, MOST_EDITS)):
            _edit(mail, dice, samples)
        yield bytes(mail[:MOST_BYTES])


def _edit(mail: bytearray, dice: random.Random, samples: list[bytes]) -> None:
    at = dice.randrange(len(mail) + 1)
    length = min(len(mail) - at, int(dice.expovariate(1 / 80)))
    match dice.randrange(7):
        case 0:
            mail[at : at + length] = b""
        case 1:
            mail[at:at] = dice.choice(TOKENS) * dice.choice((1, 1, 1, 40))
        case 2:
            mail[at:at] = mail[at : at + length] * dice.choice((1, 2, 30))
        case 3 if at < len(mail):
            mail[at] ^= 1 << dice.randrange(8)
        case 4:
            other = dice.choice(samples)
            begin = dice.randrange(len(other) + 1)
            mail[at : at + length] = other[begin : begin + 4 * length]
        case 5:
            mail[at:at] = dice.randbytes(dice.randrange(40))
        case _:
            lines = bytes(mail).split(b"\n")
            one, two = dice.randrange(len(lines)), dice.randrange(len(lines))
            lines[one], lines[two] = lines[two], lines[one]
            mail[:] = b"\n".join(lines)


def read(raw: bytes) -> None:
    """All that is read of an arrived mail."""
    found = content.read_content(raw)
    bounces.parse(raw)
    split = quoting.split(found.text)
    quoting.split(found.html, html=True)
    html.to_text(found.html)
    autoreplies.detect(found.headers.pairs, found.headers.get("subject"), split.new)


def run(folder: Path, *, count: int, seed: int) -> Cost:
    samples = [path.read_bytes() for path in sorted(folder.glob("*.eml"))]
    cost = Cost()
    with contextlib.suppress(Exception):  # what is loaded once is not growth
        for raw in samples:
            read(raw)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for raw in mutated(samples, count=count, seed=seed):
        begun = time.thread_time()
        try:
            read(raw)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is looked for
            cost.failures.append(f"{type(error).__name__}: {error} (seed {seed}, mail {cost.mails})")
        cost.times.append(time.thread_time() - begun)
        cost.mails += 1
    cost.kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return cost
