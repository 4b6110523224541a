"""The verifier alone, without a database: 10,000 tamperings of five kinds, and bad files (T34)."""

from __future__ import annotations

import json
import random
import string
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.activity import chain
from accounts.activity.chain import Anchor, Report, digest_of, genesis, link, read_anchors, verify

WORKSPACE = "0193f000-0000-7000-8000-00000000000a"
SEED = 20261126
TAMPERINGS = 10_000
ACTS = 16
Lines = list[dict[str, Any]]


def event(seq: int, sentence: str, salt: str) -> dict[str, Any]:
    return {
        "action": random.Random(seq).choice(["campaign.launched", "mailbox.revoked", "key.made"]),
        "actor": "US" + f"{seq % 3:032x}",
        "actor_kind": "person",
        "at": f"2026-11-26T10:{seq % 60:02d}:00.000001Z",
        "country": "DE",
        "credential": "",
        "device": "Chrome on Windows",
        "digest": digest_of(salt, sentence).hex(),
        "id": f"0193f000-0000-7000-8000-{seq:012x}",
        "object_id": f"0193f000-0000-7000-9000-{seq % 4:012x}",
        "object_kind": "campaign",
        "place": "203.0.113.0/24",
        "seq": seq,
        "workspace": WORKSPACE,
    }


def chained(acts: Lines) -> Lines:
    """The same acts, numbered and hashed anew: what somebody with the database could do."""
    here = genesis(WORKSPACE)
    for seq, line in enumerate(acts, start=1):
        line["event"]["seq"] = seq
        line["event"]["digest"] = digest_of(line["salt"], line["sentence"]).hex()
        here = link(here, line["event"])
        line["hash"] = here.hex()
    return acts


def fresh(acts: Lines) -> Lines:
    return [{**line, "event": dict(line["event"])} for line in acts]


def export(acts: Lines) -> list[str]:
    head = {"seq": len(acts), "hash": acts[-1]["hash"] if acts else genesis(WORKSPACE).hex()}
    manifest = {"format": chain.FORMAT, "workspace": WORKSPACE, "head": head, "anchors": []}
    return [json.dumps(line) for line in [manifest, *acts]]


@pytest.fixture(scope="module")
def acts() -> Lines:
    found = []
    for seq in range(1, ACTS + 1):
        salt, sentence = f"{seq:032x}", f"Mira launched campaign {seq} – Zürich"
        found.append({"event": event(seq, sentence, salt), "hash": "", "salt": salt, "sentence": sentence})
    return chained(found)


def anchor_at(acts: Lines, seq: int) -> Anchor:
    return Anchor("2026-11-26", WORKSPACE, seq, acts[seq - 1]["hash"])


def other_text(text: str, dice: random.Random) -> str:
    place = dice.randrange(len(text) + 1)
    added = text[:place] + dice.choice(string.ascii_letters + string.digits) + text[place:]
    return added if added != text else added + "x"


def change(lines: Lines, dice: random.Random) -> None:
    line = dice.choice(lines)
    name = dice.choice([*sorted(chain.FIELDS - {"seq"}), "sentence", "salt", "hash"])
    holder = line if name in ("sentence", "salt", "hash") else line["event"]
    holder[name] = other_text(holder[name], dice)


def delete(lines: Lines, dice: random.Random) -> None:
    del lines[dice.randrange(len(lines))]


def insert(lines: Lines, dice: random.Random) -> None:
    """Before some act: what is written behind the last anchored one is a new act like any other."""
    new = fresh([dice.choice(lines)])[0]
    new["sentence"] = other_text(new["sentence"], dice)
    lines.insert(dice.randrange(len(lines)), new)


def reorder(lines: Lines, dice: random.Random) -> None:
    one, other = dice.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]


def truncate(lines: Lines, dice: random.Random) -> None:
    del lines[dice.randrange(len(lines)) :]


KINDS: list[Callable[[Lines, random.Random], None]] = [change, delete, insert, reorder, truncate]


def test_it_finds_every_one_of_10000_tamperings(acts: Lines) -> None:
    """Half by somebody who writes the whole chain and the manifest anew: only the anchor shows those."""
    dice = random.Random(SEED)
    head = anchor_at(acts, ACTS)
    assert verify(export(acts), [head]).is_whole
    tried: Counter[tuple[str, bool]] = Counter()
    missed = []
    for number in range(TAMPERINGS):
        kind, anew = KINDS[number % 5], number // 5 % 2 == 1
        lines = fresh(acts)
        kind(lines, dice)
        written = export(chained(lines)) if anew else export(lines)
        tried[kind.__name__, anew] += 1
        if anew and [json.loads(line) for line in written[1:]] == acts:
            # A forged hash or digest alone is undone by writing the chain anew: nothing is left of it.
            tried[kind.__name__, anew] -= 1
            tried["undone", anew] += 1
        elif verify(written, [head]).is_whole:
            missed.append((number, kind.__name__, anew))
    assert missed == []
    assert sum(tried.values()) == TAMPERINGS
    assert tried["undone", True] < TAMPERINGS // 50
    assert min(count for (name, _), count in tried.items() if name != "undone") > TAMPERINGS // 15


@pytest.mark.parametrize("kind", [truncate, insert, delete, reorder], ids=lambda kind: str(kind.__name__))
def test_it_says_plainly_that_without_anchors_a_new_chain_is_not_found(
    kind: Callable[[Lines, random.Random], None], acts: Lines
) -> None:
    lines = fresh(acts)
    kind(lines, random.Random(SEED))
    report = verify(export(chained(lines)))
    assert report.is_whole
    assert any("found through them only" in line for line in chain.said(report, with_anchors=False))


def test_it_finds_a_cut_tail_by_the_manifest_of_the_same_export(acts: Lines) -> None:
    written = export(acts)
    assert f"ends at {ACTS - 1}" in " ".join(verify(written[:-1]).faults)


def test_it_counts_erased_words_and_still_holds_the_act(acts: Lines) -> None:
    lines = fresh(acts)
    lines[3]["salt"] = lines[3]["sentence"] = ""
    report = verify(export(lines), [anchor_at(acts, ACTS)])
    assert (report.is_whole, report.erased, report.events) == (True, 1, ACTS)
    assert report.anchored == ACTS


def test_it_reads_anchors_out_of_a_mail_and_passes_over_the_rest(acts: Lines) -> None:
    one = anchor_at(acts, 7)
    mail = f"Subject: Head\n\n> {one}\nsome 2026-11-26 words\n{one.day} {one.workspace} 0 {one.hash}\n"
    assert read_anchors(mail.splitlines()) == [one]


def test_it_wants_an_anchor_of_this_workspace(acts: Lines) -> None:
    other = Anchor("2026-11-26", WORKSPACE.replace("a", "b"), 1, "0" * 64)
    assert "No anchor given is of this workspace" in " ".join(verify(export(acts), [other]).faults)


def test_it_holds_an_anchor_that_the_file_does_not_reach(acts: Lines) -> None:
    late = Anchor("2026-11-27", WORKSPACE, ACTS + 5, "0" * 64)
    assert "does not reach it" in " ".join(verify(export(acts), [late]).faults)


def bad_files(acts: Lines) -> dict[str, list[str]]:
    whole = export(acts)
    manifest, first = json.loads(whole[0]), json.loads(whole[1])
    deep = "[" * 100_000
    return {
        "nothing": [],
        "not json": ["{"],
        "an empty line": ["", *whole],
        "deep": [deep],
        "a list": ["[]"],
        "another format": [json.dumps({**manifest, "format": "other"}), *whole[1:]],
        "a head of text": [json.dumps({**manifest, "head": {"seq": "24", "hash": "x"}}), *whole[1:]],
        "a head that is true": [json.dumps({**manifest, "head": {"seq": True, "hash": "0" * 64}}), whole[1]],
        "anchors of text": [json.dumps({**manifest, "anchors": "none"}), *whole[1:]],
        "an anchor without day": [json.dumps({**manifest, "anchors": [manifest["head"]]}), *whole[1:]],
        "no manifest": whole[1:],
        "a name twice": [whole[0], '{"hash": "x", ' + whole[1][1:], *whole[2:]],
        "one more member": [whole[0], json.dumps({**first, "note": "x"}), *whole[2:]],
        "a number for text": [whole[0], json.dumps({**first, "sentence": 1}), *whole[2:]],
        "a number as text": [
            whole[0],
            json.dumps({**first, "event": {**first["event"], "seq": "1"}}),
            *whole[2:],
        ],
        "no event": [whole[0], json.dumps({**first, "event": None}), *whole[2:]],
    }


def test_it_refuses_every_file_that_is_not_of_the_format(acts: Lines) -> None:
    for name, lines in bad_files(acts).items():
        report = verify(lines)
        assert isinstance(report, Report)
        assert report.faults, name


def written(folder: Path, acts: Lines) -> tuple[Path, Path]:
    file, anchors = folder / "activity.jsonl", folder / "mails.txt"
    file.write_text("\n".join(export(acts)) + "\n")
    anchors.write_text(f"Keep this mail.\n\n{anchor_at(acts, ACTS)}\n")
    return file, anchors


def test_it_runs_on_python_alone(tmp_path: Path, acts: Lines) -> None:
    """-I -S: no environment, no installed package, no file of ours beside it."""
    file, anchors = written(tmp_path, acts)
    tool = tmp_path / "tool.py"
    tool.write_bytes(Path(chain.__file__).read_bytes())

    def run(*arguments: object) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(tool), *map(str, arguments)],
            capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path, env={},
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    code, said = run(file, "--anchors", anchors)
    assert code == 0
    assert f"up to act {ACTS}" in said
    file.write_text(file.read_text().replace("Mira launched campaign 5", "Milo launched campaign 5"))
    code, said = run(file)
    assert (code, "The chain is broken." in said) == (1, True)
    assert run(tmp_path / "none.jsonl")[0] == 2


def test_it_is_a_command_that_asks_no_database(
    tmp_path: Path, acts: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    file, anchors = written(tmp_path, acts)
    call_command("verify_audit", str(file), anchors=str(anchors))
    assert "The chain is whole." in capsys.readouterr().out
    file.write_text(file.read_text()[:-400])
    with pytest.raises(CommandError):
        call_command("verify_audit", str(file), anchors=str(anchors))
    with pytest.raises(CommandError):
        call_command("verify_audit", str(tmp_path / "none"))
