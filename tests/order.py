"""In which order whole files are handed to the workers: the longest first, so that none is left for the end.

pytest-xdist would begin with the files that have the most tests, and end with the two of the soak.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

# Those of more than half a minute, by the time they took (`--durations`). The others follow by their number
# of tests; a file that is missing here costs time alone.
LONGEST = (
    "tests/soak/test_soak.py",
    "tests/outreach/test_original_in_browser.py",
    "tests/isolation/test_matrix.py",
    "tests/browser/test_consent.py",
    "tests/browser/test_stories.py",
    "tests/config/test_run.py",
    "tests/outreach/test_browser_campaigns.py",
    "tests/grid/test_google_before.py",
    "tests/grid/test_google_behind.py",
    "tests/grid/test_microsoft_before.py",
    "tests/grid/test_microsoft_behind.py",
    "tests/soak/test_replies.py",
    "tests/mailbox/parsing/test_growth.py",
    "tests/mutants/test_mutants.py",
    "tests/accounts/test_browser.py",
    "tests/mailbox/test_consent_abuse.py",
    "tests/api/test_schema.py",
    "tests/test_bad_input.py",
    "tests/outreach/test_removals_in_browser.py",
    "tests/test_isolation.py",
    "tests/accounts/test_rotation.py",
    "tests/outreach/test_policy.py",
    "tests/outreach/test_views_why.py",
    "tests/isolation/test_assignment.py",
)
# Files that share something made once for each worker and dear to make: one worker gets them all.
TOGETHER = ("tests/browser/",)


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def unit_of(nodeid: str) -> str:
    """What is handed to a worker as a whole."""
    name = file_of(nodeid)
    return next((folder for folder in TOGETHER if name.startswith(folder)), name)


def sort(items: list[pytest.Item]) -> None:
    """By file; within a file nothing moves."""
    tests = Counter(file_of(item.nodeid) for item in items)
    place = {name: number for number, name in enumerate(LONGEST)}

    def rank(item: pytest.Item) -> tuple[int, int, str]:
        name = file_of(item.nodeid)
        return place.get(name, len(place)), -tests[name], name

    items.sort(key=rank)


class Together(LoadFileScheduling):  # type: ignore[misc]
    """`--dist loadfile`, in the order of the collection and with `TOGETHER`."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)
