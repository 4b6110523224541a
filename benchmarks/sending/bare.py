"""The bare loop of `benchmarks/send.py`: draft, send, read back, by the product's own provider clients.

Prints when it began and ended (time.monotonic) and the processor seconds between: its start is not counted.
"""

from __future__ import annotations

import pickle
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def main() -> None:
    import django

    django.setup()
    from mailbox.gateway import PROVIDERS
    from mailbox.providers.transport import line

    path, number, copies, threads = sys.argv[1:]
    jobs = pickle.loads(Path(path).read_bytes())[int(number) :: int(copies)]  # noqa: S301 - our own file
    # At Microsoft one call in flight a mailbox, as the product does it.
    turns: dict[uuid.UUID, Any] = defaultdict(threading.Lock)
    looked: Callable[[], None] = lambda: None  # noqa: E731

    def run(job: tuple[str, uuid.UUID, str, Any]) -> None:
        provider, mailbox, token, mail = job
        client = PROVIDERS[provider]
        with turns[mailbox] if client.serial else threading.Lock():
            with line((mailbox, 1), token=token, check=looked, serial=client.serial) as held:
                draft = client(held).prepare(mail)
            with line(
                (mailbox, 1), token=token, check=looked, draft_id=draft.draft_id, serial=client.serial
            ) as held:
                sent = client(held).submit(draft, not_after=None)
            with line((mailbox, 1), token=token, check=looked, serial=client.serial) as held:
                client(held).confirm(
                    draft,
                    key=mail.key,
                    to_address=mail.to_address,
                    attempted_at=datetime.now(UTC),
                    provider_id=sent.provider_id if sent else "",
                )

    began, spent = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(int(threads)) as pool:
        for done in [pool.submit(run, job) for job in jobs]:
            done.result()
    print(began, time.monotonic(), time.process_time() - spent)


if __name__ == "__main__":
    main()
