"""`make screens`: every page of the demo at two widths and in both themes, for eyes, and what a machine sees.

    python -m tests.screens [--only contacts] [--folder docs/screens]

Starts the whole product with its demo, signs in as its owner and follows every link of ours until there is no
new kind of page. Each is opened at 1440 and 390 pixels, light and dark. Ends with 1 where axe finds
something, a page scrolls sideways, a script fails, an answer is not 200, or an address of ours that shows a
page was never reached and is not named in NOT_SHOWN. The pictures go into the folder as WebP, with a list.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path

from config.embedded import free_port
from config.processes import MARK
from config.run import Run


def main() -> int:
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="outreach-screens-") as folder:
        Path(folder).chmod(0o755)
        run = Run(Path(folder) / "run")
        try:
            run.claim_folder(reset=True)
            with contextlib.redirect_stdout(io.StringIO()):
                run.start(free_port(18_700))
            os.environ.update({name: value for name, value in run.env.items() if name != MARK})
            import config.wsgi  # noqa: F401  (the addresses, as the web server knows them)
            from tests.screens.kinds import NOT_SHOWN, shown_kinds
            from tests.screens.looking import SCHEMES, WIDTHS, look

            found = look(run.url, Path(asked.folder), only=asked.only)
        finally:
            run.stop()
    missing = [] if asked.only else sorted(shown_kinds() - set(found.shown) - set(NOT_SHOWN))
    found.faults += [f"{kind}: no link leads there" for kind in missing]
    sys.stdout.write("\n".join(found.faults) + "\n" if found.faults else "")
    pages = sum(found.shown.values())
    sys.stdout.write(
        f"screens: {len(found.shown)} kinds of pages, {pages} pages, "
        f"{len(WIDTHS) * len(SCHEMES) * pages} pictures; {len(found.faults)} faults\n"
    )
    return 1 if found.faults else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.screens")
    parser.add_argument("--only", default="", help="Kinds of pages whose name holds this.")
    parser.add_argument("--folder", default="docs/screens")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
