"""The bare loop of `benchmarks/poll.py`: a look from a cursor, by the product's own provider clients.

Prints when it began and ended (time.monotonic) and the processor seconds between: its start is not counted.
"""

from __future__ import annotations

import pickle
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path


def main() -> None:
    import django

    django.setup()
    from mailbox.gateway import PROVIDERS
    from mailbox.providers.transport import line
    from mailbox.types import Cursor

    path, number, copies, threads = sys.argv[1:]
    jobs = pickle.loads(Path(path).read_bytes())[int(number) :: int(copies)]  # noqa: S301 - our own file
    looked: Callable[[], None] = lambda: None  # noqa: E731

    def run(job: tuple[str, uuid.UUID, str, str, datetime]) -> None:
        provider, mailbox, token, cursor, connected_at = job
        client = PROVIDERS[provider]
        with line((mailbox, 1), token=token, check=looked, serial=client.serial) as held:
            client(held).headers_since(Cursor(cursor), connected_at=connected_at)

    began, spent = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(int(threads)) as pool:
        for done in [pool.submit(run, job) for job in jobs]:
            done.result()
    print(began, time.monotonic(), time.process_time() - spent)


if __name__ == "__main__":
    main()
