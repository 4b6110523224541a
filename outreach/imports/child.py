"""Reads one table from its input and writes the rows as lines of JSON: a process that may not grow (T27).

It knows no setting and no secret, opens no file and ends itself at its limits. Its first line says how the
file was read, the last one that it came to the end; a refusal stands in place of either.
"""

from __future__ import annotations

import json
import resource
import sys


def main() -> None:
    memory, seconds, most_bytes, most_rows = map(int, sys.argv[1:5])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Behind the limits: what a library needs to begin with counts as well.
    from outreach.tables import ImportRefused, open_table

    try:
        stream = open_table(sys.stdin.buffer.read(), most_bytes=most_bytes, most_rows=most_rows)
        say({"encoding": stream.encoding, "delimiter": stream.delimiter})
        for row in stream.rows:
            say(row)
        say({"end": True})
    except ImportRefused as refused:
        say({"refused": str(refused)})


def say(what: object) -> None:
    line = json.dumps(what, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.buffer.write(line.encode(errors="replace") + b"\n")


if __name__ == "__main__":
    main()
