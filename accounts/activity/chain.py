"""The activity log's chain: how lines are written down, hashed and verified. Needs Python alone.

An export is a file of JSON Lines. The first line is the manifest, each other line one act, oldest first:

    {"format": "outreach-activity-1", "workspace": …, "exported_at": …, "head": {"seq": n, "hash": …},
     "anchors": [{"day": …, "seq": …, "hash": …}, …]}
    {"event": {…}, "hash": …, "salt": …, "sentence": …}

Canonical form of an act: the members of `event` (FIELDS, all of them text but `seq`), as JSON with sorted
keys, no white space, ASCII only; times in UTC with six decimals and a Z; `digest` in hexadecimal.

    digest = SHA-256(salt || sentence)      both in UTF-8; the words may be erased later, the digest stays
    h_0    = SHA-256("outreach-activity-1|" || workspace)
    h_n    = SHA-256(h_{n-1} || canonical(event_n)),  n = 1, 2, 3 …

Whoever can write to the database could cut off the tail, or write the whole chain anew: that is found by
anchors only, heads of the chain kept elsewhere (a mail to the owners, an earlier export). An anchor is a line
"2026-11-26 <workspace> <seq> <hash>" anywhere in a file; other lines of it are passed over.

    python3 audit_chain.py activity.jsonl --anchors anchors.txt
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FORMAT = "outreach-activity-1"
FIELDS = frozenset(
    {
        "action", "actor", "actor_kind", "at", "country", "credential", "device", "digest", "id",
        "object_id", "object_kind", "place", "seq", "workspace",
    }
)  # fmt: skip
_ANCHOR = re.compile(r"\b(\d{4}-\d\d-\d\d) ([0-9a-f-]{36}) ([1-9]\d{0,18}) ([0-9a-f]{64})\b")
_HASH = re.compile(r"[0-9a-f]{64}")


class Malformed(ValueError):
    """A line is not what the format says; the message says how."""


@dataclass(frozen=True)
class Anchor:
    """The chain's head on a day, kept outside the database."""

    day: str
    workspace: str
    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.day} {self.workspace} {self.seq} {self.hash}"


@dataclass(frozen=True)
class Report:
    """What a look at an export has shown. `anchored` is the last act that an anchor from outside confirms."""

    workspace: str
    events: int
    head: str
    erased: int
    anchored: int
    faults: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return not self.faults


def canonical(event: Mapping[str, object]) -> bytes:
    """The one way to write an act down."""
    return json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def genesis(workspace: str) -> bytes:
    """h_0 of a workspace."""
    return hashlib.sha256(f"{FORMAT}|{workspace}".encode()).digest()


def link(previous: bytes, event: Mapping[str, object]) -> bytes:
    """h_n from h_{n-1} and the act."""
    return hashlib.sha256(previous + canonical(event)).digest()


def digest_of(salt: str, sentence: str) -> bytes:
    """What stands in the act for its words. The salt keeps short sentences from being guessed."""
    return hashlib.sha256(f"{salt}{sentence}".encode()).digest()


def read_anchors(lines: Iterable[str]) -> list[Anchor]:
    """Every anchor in a text, for instance a saved mail."""
    return [
        Anchor(day, workspace, int(seq), head)
        for line in lines
        for day, workspace, seq, head in _ANCHOR.findall(line)
    ]


def verify(lines: Iterable[str], anchors: Iterable[Anchor] | None = None) -> Report:
    """Reads an export once, from the first line to the last or to the first that does not fit.

    `anchors` from outside; None where there are none to compare with.
    """
    faults: list[str] = []
    workspace, seq, erased, here = "", 0, 0, b""
    hashes: dict[int, str] = {}
    manifest: dict[str, Any] = {}
    for number, text in enumerate(lines, start=1):
        try:
            line = _parsed(text)
            if number == 1:
                manifest = _manifest(line)
                workspace = manifest["workspace"]
                here = genesis(workspace)
                continue
            event = _event(line, seq=seq + 1, workspace=workspace)
            here = link(here, event)
            if line["hash"] != here.hex():
                raise Malformed("its hash does not follow from the line before: something was changed here")
            if not line["salt"] and not line["sentence"]:
                erased += 1
            elif event["digest"] != digest_of(line["salt"], line["sentence"]).hex():
                raise Malformed("its words are not those that were written down then")
        except Malformed as fault:
            faults.append(f"Line {number}: {fault}.")
            break
        seq += 1
        hashes[seq] = here.hex()
    if not manifest and not faults:
        faults.append("The file is empty.")
    if not faults and (manifest["head"]["seq"], manifest["head"]["hash"]) != (seq, here.hex()):
        faults.append(
            f"The manifest names act {manifest['head']['seq']} as the last one; the file ends at {seq}."
        )
    inside = [
        Anchor(str(one["day"]), workspace, one["seq"], one["hash"]) for one in manifest.get("anchors", ())
    ]
    outside = None if anchors is None else [one for one in anchors if one.workspace == workspace]
    if outside == []:
        faults.append("No anchor given is of this workspace, so that a cut tail would not be found.")
    faults += _unmet([*inside, *(outside or ())], hashes)
    met = [one.seq for one in outside or () if hashes.get(one.seq) == one.hash]
    return Report(workspace, seq, here.hex(), erased, max(met, default=0), tuple(faults))


def _unmet(anchors: Iterable[Anchor], hashes: Mapping[int, str]) -> list[str]:
    found = []
    for one in dict.fromkeys(anchors):
        if one.seq not in hashes:
            found.append(
                f"The anchor of {one.day} names act {one.seq}, and the file does not reach it intact."
            )
        elif hashes[one.seq] != one.hash:
            found.append(f"The anchor of {one.day} does not fit act {one.seq}: the chain was written anew.")
    return found


def _parsed(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Malformed("it is not JSON, or names something twice") from error
    if not isinstance(line, dict):
        raise Malformed("it is not an object")
    return line


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _manifest(line: dict[str, Any]) -> dict[str, Any]:
    if line.get("format") != FORMAT or not isinstance(line.get("workspace"), str):
        raise Malformed(f"it is no manifest of {FORMAT}")
    anchors = line.get("anchors")
    heads = [line.get("head"), *(anchors if isinstance(anchors, list) else [None])]
    for one in heads:
        if not isinstance(one, dict) or type(one.get("seq")) is not int or not _is_hash(one.get("hash")):
            raise Malformed("its head or an anchor is not a number and a hash")
    if any("day" not in one for one in heads[1:]):
        raise Malformed("an anchor has no day")
    return line


def _event(line: dict[str, Any], *, seq: int, workspace: str) -> dict[str, Any]:
    event = line.get("event")
    if set(line) != {"event", "hash", "salt", "sentence"} or not isinstance(event, dict):
        raise Malformed("an act, its hash, salt and sentence are expected")
    texts = [line["hash"], line["salt"], line["sentence"], *(event[name] for name in event if name != "seq")]
    if set(event) != FIELDS or not all(isinstance(text, str) for text in texts):
        raise Malformed("the act has not the members of the format")
    if type(event["seq"]) is not int or event["seq"] != seq:
        raise Malformed(f"act {seq} is expected, act {event['seq']} stands here")
    if event["workspace"] != workspace:
        raise Malformed("the act is of another workspace")
    return event


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def said(report: Report, *, with_anchors: bool) -> list[str]:
    """The report in sentences, for a terminal."""
    lines = list(report.faults)
    lines.append(
        f"Workspace {report.workspace or 'unknown'}: {report.events} acts fit, head {report.head or '–'}."
    )
    if report.erased:
        lines.append(f"The words of {report.erased} acts were erased; their digests still stand.")
    if with_anchors:
        lines.append(f"Anchors from outside confirm the chain up to act {report.anchored}.")
    else:
        lines.append(
            "No anchors were given: a cut tail, or a chain written anew, is found through them only."
        )
    lines.append("The chain is whole." if report.is_whole else "The chain is broken.")
    return lines


def main(arguments: list[str]) -> int:
    """0 for a whole chain, 1 for a broken one, 2 for files that cannot be read."""
    parser = argparse.ArgumentParser(description="Verify an export of the activity log.")
    parser.add_argument("export", help="the JSON Lines file")
    parser.add_argument("--anchors", help="a text with lines: day workspace seq hash")
    asked = parser.parse_args(arguments)
    try:
        anchors = None
        if asked.anchors:
            with open(asked.anchors, encoding="utf-8", errors="replace") as kept:
                anchors = read_anchors(kept)
        with open(asked.export, encoding="utf-8", errors="replace", newline="\n") as export:
            report = verify(export, anchors)
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 2
    sys.stdout.write("\n".join(said(report, with_anchors=anchors is not None)) + "\n")
    return 0 if report.is_whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
