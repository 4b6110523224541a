"""What the grid has shown: a line at the end of every run that asked it."""

from __future__ import annotations

from collections import Counter

import pytest

FIRED, NOT_REACHED = "fired", "not reached"


def tell(terminalreporter: pytest.TerminalReporter) -> None:
    ends: Counter[str] = Counter()
    went: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "grid" and getattr(report, "when", "") == "call":
                    ends[value] += 1
                    went[report.outcome] += 1
    if ends:
        terminalreporter.write_line(
            f"grid: {sum(ends.values())} cases, {ends[FIRED]} fired, {ends[NOT_REACHED]} cannot be reached; "
            f"{went['passed']} as expected, {went['failed']} not"
        )
