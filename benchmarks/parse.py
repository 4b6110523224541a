"""How much of real bounces is understood, beside flufl.bounce in the same run: `make bench-parse`.

The measure, over the mails of a folder with a `labels.jsonl` (FOLDER=, by default the whole collection where
it lies beside the repository, else the part of it in the tests):

* found: of the recipients that the labels name as failed, those that the parser names with any category but
  `delivered`. Recipients labelled `delivered` are counted apart.
* agreement: of those found, the ones whose category is the label's; one who calls a suspended account
  temporary is not wrong. flufl.bounce tells permanent from temporary only, so it gets no such figure.
* false bounces: recipients named as failed for ordinary mail and auto-replies in many languages (those of the
  tests) and for the mails that the reports enclose; apart from them, mails whose label names no recipient but
  for which the parser names one.
* milliseconds of one mail, by the clock of the process.
"""

from __future__ import annotations

import email
import json
import logging
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flufl.bounce import all_failures

from mailbox.parsing import bounces, mime
from mailbox.parsing.bounces import Category
from tests.mailbox.parsing import autoreply_cases, corpus

GOAL_FOUND, GOAL_AGREED = 0.98, 0.95
Found = dict[str, str]
"""Address to category ("" where none is told) of each recipient named as failed."""


@dataclass
class Tally:
    wanted: int = 0
    found: int = 0
    agreed: int = 0
    others: int = 0
    arrived: tuple[int, int] = (0, 0)
    empty: int = 0
    empty_named: list[str] = field(default_factory=list)
    false: int = 0
    raised: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


def ours(raw: bytes) -> tuple[Found, set[str]]:
    report = bounces.parse(raw)
    recipients = report.recipients if report else ()
    arrived = {one.address.lower() for one in recipients if one.category is Category.DELIVERED}
    failed = {one.address.lower(): str(one.category) for one in recipients}
    return {address: one for address, one in failed.items() if one != "delivered"}, arrived


def fluffy(raw: bytes) -> tuple[Found, set[str]]:
    temporary, permanent = all_failures(email.message_from_bytes(raw))
    both = set(temporary) | set(permanent)
    return {one.decode("utf-8", "replace").lower(): "" for one in both}, set()


def measure(folder: Path, parse: Callable[[bytes], tuple[Found, set[str]]]) -> Tally:
    tally = Tally()
    for line in (folder / "labels.jsonl").read_text().splitlines():
        label = json.loads(line)
        found, arrived = timed(tally, parse, (folder / label["file"]).read_bytes())
        known = {one["recipient"].lower(): one for one in label["recipients"]}
        failed = {address: one for address, one in known.items() if one["category"] != "delivered"}
        hit = found.keys() & failed.keys()
        tally.wanted += len(failed)
        tally.found += len(hit)
        tally.agreed += sum(agrees(failed[address], found[address]) for address in hit)
        tally.others += len(found.keys() - known.keys())
        good = known.keys() - failed.keys()
        tally.arrived = (tally.arrived[0] + len(good & arrived), tally.arrived[1] + len(good))
        tally.empty += not known
        tally.empty_named += [label["file"]] if found and not known else []
    for raw in no_bounces(folder):
        tally.false += len(timed(tally, parse, raw)[0])
    return tally


def timed(
    tally: Tally, parse: Callable[[bytes], tuple[Found, set[str]]], raw: bytes
) -> tuple[Found, set[str]]:
    begun = time.perf_counter()
    try:
        return parse(raw)
    except Exception as error:  # noqa: BLE001 - flufl.bounce's own failures are part of its figure
        tally.raised.append(type(error).__name__)
        return {}, set()
    finally:
        tally.times.append(1000 * (time.perf_counter() - begun))


def agrees(label: dict[str, str], category: str) -> bool:
    return category == label["category"] or (label["reason"] == "suspend" and category == "temporary")


def no_bounces(folder: Path) -> Iterator[bytes]:
    """What people write, what machines answer when somebody is away, and the mails that were returned."""
    for table, extra in (
        (autoreply_cases.PEOPLE, ""),
        (autoreply_cases.MACHINES, "Auto-Submitted: auto-replied\n"),
    ):
        for subjects in table.values():
            for subject in subjects:
                yield (
                    f"From: Ann <ann@far.example>\nTo: me@ours.example\n{extra}Subject: {subject}\n"
                    "In-Reply-To: <ours@ours.example>\n\nPlease write to bob@far.example, who could not "
                    "be reached yesterday.\n\nOn 3 Jun 2024 at 10:00 me <me@ours.example> wrote:\n> hello\n"
                ).encode()
    for path in sorted(folder.glob("*.eml")):
        mail = mime.read(path.read_bytes())
        for part in mail.parts:
            if part.content_type == "message/rfc822":
                raw = mail.body(part, part.end).lstrip()
                headers = mime.read(raw).headers
                if "report" not in headers.get("content-type") and not headers.get("auto-submitted"):
                    yield raw


def show(name: str, tally: Tally) -> None:
    times = sorted(tally.times)
    p50, p99 = (times[min(len(times) - 1, math.ceil(len(times) * part) - 1)] for part in (0.5, 0.99))
    agreement = f"{tally.agreed}/{tally.found} = {tally.agreed / max(1, tally.found):.1%}"
    print(f"{name}:")
    print(
        f"  failed recipients found   {tally.found}/{tally.wanted} = {tally.found / max(1, tally.wanted):.1%}"
    )
    print(f"  category agreement        {agreement if tally.agreed else 'tells no category'}")
    print(f"  recipients beside labels  {tally.others}")
    print(f"  delivered, apart          {tally.arrived[0]}/{tally.arrived[1]}")
    named = " ".join(tally.empty_named)
    print(f"  labelled without any      {len(tally.empty_named)}/{tally.empty} named one {named}")
    print(f"  false on ordinary mail    {tally.false}")
    print(f"  exceptions                {len(tally.raised)} {' '.join(sorted(set(tally.raised)))}")
    print(f"  p50 {p50:.2f} ms, p99 {p99:.2f} ms, {len(times)} mails")


def main() -> int:
    folder = Path(os.environ.get("FOLDER") or (corpus.WHOLE if corpus.WHOLE.is_dir() else corpus.HERE))
    print(f"{folder.name}, {len(list(folder.glob('*.eml')))} mails")
    logging.disable(logging.CRITICAL)  # flufl.bounce reports its own failures at length
    tally = measure(folder, ours)
    show("mailbox.parsing.bounces", tally)
    show("flufl.bounce", measure(folder, fluffy))
    good = tally.found >= GOAL_FOUND * tally.wanted and tally.agreed >= GOAL_AGREED * tally.found
    return 0 if good and not tally.false else 1


if __name__ == "__main__":
    sys.exit(main())
