"""`python -m mailbox.sandbox`: serve until interrupted."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from mailbox.sandbox.server import running
from mailbox.sandbox.settings import Settings, SettingsRefused, from_environment


async def serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(settings):
        sys.stdout.write(
            f"Sandbox: Google at {settings.http_url}/google and /gmail, Microsoft at {settings.tls_url}, "
            f"CA in {settings.directory / 'ca.pem'}, profile {settings.profile}\n"
        )
        sys.stdout.flush()
        await stop.wait()


def main() -> int:
    logging.basicConfig(level=logging.WARNING, format="sandbox: %(message)s")
    try:
        settings = from_environment(os.environ)
    except SettingsRefused as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    try:
        asyncio.run(serve(settings))
    except OSError as problem:
        sys.stderr.write(f"The sandbox cannot listen: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
