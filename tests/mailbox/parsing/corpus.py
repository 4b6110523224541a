"""The labelled bounces of this folder, and of the larger collection where it lies beside the repository."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent / "bounces"
WHOLE = Path(__file__).resolve().parents[4] / "shared" / "corpora" / "bounces"


@dataclass(frozen=True)
class Labelled:
    """One mail; `wanted` maps each recipient that did not get it to category and reason."""

    name: str
    raw: bytes
    wanted: dict[str, tuple[str, str]]


def labelled(folder: Path) -> Iterator[Labelled]:
    for line in (folder / "labels.jsonl").read_text().splitlines():
        label = json.loads(line)
        wanted = {
            one["recipient"].lower(): (one["category"], one["reason"])
            for one in label["recipients"]
            if one["category"] != "delivered"
        }
        yield Labelled(label["file"], (folder / label["file"]).read_bytes(), wanted)


def raw(name: str) -> bytes:
    return (HERE / f"{name}.eml").read_bytes()
