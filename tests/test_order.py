"""The order of the files: what is named is there, and nothing is moved within a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import order

ROOT = Path(__file__).resolve().parents[1]


def test_it_names_what_is_there() -> None:
    assert [name for name in (*order.LONGEST, *order.TOGETHER) if not (ROOT / name).exists()] == []


class Named:
    def __init__(self, nodeid: str) -> None:
        self.nodeid = nodeid


def test_it_moves_files_and_not_what_is_in_them() -> None:
    longest = order.LONGEST[0]
    before = ["tests/a.py::one", "tests/b.py::two", "tests/a.py::three", f"{longest}::x", "tests/b.py::one"]
    items = [Named(name) for name in (*before, "tests/b.py::three")]
    order.sort(items)  # type: ignore[arg-type]
    assert [item.nodeid for item in items] == [
        f"{longest}::x",
        *("tests/b.py::two", "tests/b.py::one", "tests/b.py::three"),
        *("tests/a.py::one", "tests/a.py::three"),
    ]


@pytest.mark.parametrize(
    ("nodeid", "unit"),
    [
        ("tests/browser/test_stories.py::test_it[a::b]", "tests/browser/"),
        ("tests/browser/test_consent.py::test_it", "tests/browser/"),
        ("tests/api/test_keys.py::test_it[a::b]", "tests/api/test_keys.py"),
    ],
)
def test_it_gives_one_worker_what_shares_something_dear(nodeid: str, unit: str) -> None:
    assert order.unit_of(nodeid) == unit
