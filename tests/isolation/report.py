"""How many cells the matrix has: a line at the end of every run that asked them.

python -m tests.isolation.report      counts them by visitor, and asks none
"""

from __future__ import annotations

import os
import sys

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    asked: dict[str, int] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "cells" and getattr(report, "when", "") == "call":
                    asked[report.nodeid] = value
    if asked:
        terminalreporter.write_line(f"matrix: {sum(asked.values())} cells, {len(asked)} visitors")


def main() -> int:
    import django

    import tests.environment  # noqa: F401 - sets what the settings read

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from tests.isolation.addresses import every_address
    from tests.isolation.cells import every_cell
    from tests.isolation.world import Visitor

    everywhere, total = every_address(), 0
    for visitor in Visitor:
        number = len(list(every_cell(everywhere, [visitor])))
        total += number
        sys.stdout.write(f"{number:6}  {visitor.value}\n")
    sys.stdout.write(f"{total:6}  cells: {len(everywhere)} addresses\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
