"""`python -m mailbox.sandbox [--profile hostile] [--weather storm] [--seed 7]`: serve until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys

from mailbox.sandbox.server import running
from mailbox.sandbox.settings import PROFILES, Settings, SettingsRefused, from_environment
from mailbox.sandbox.weather import WEATHERS


async def serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(settings):
        sys.stdout.write(
            f"Sandbox: Google at {settings.http_url}/google and /gmail, Microsoft at {settings.tls_url}, "
            f"CA in {settings.directory / 'ca.pem'}, profile {settings.profile}, "
            f"weather {settings.weather}, seed {settings.seed}; look at {settings.http_url}/_sandbox/\n"
        )
        sys.stdout.flush()
        await stop.wait()


def _arguments() -> dict[str, str]:
    """What the command line says, by the names of the environment."""
    parser = argparse.ArgumentParser(
        prog="python -m mailbox.sandbox", description="Google and Microsoft, here."
    )
    parser.add_argument("--profile", dest="SANDBOX_PROFILE", choices=PROFILES)
    parser.add_argument("--weather", dest="SANDBOX_WEATHER", choices=WEATHERS)
    parser.add_argument("--seed", dest="SANDBOX_SEED")
    return {name: value for name, value in vars(parser.parse_args()).items() if value is not None}


def main() -> int:
    logging.basicConfig(level=logging.WARNING, format="sandbox: %(message)s")
    try:
        settings = from_environment({**os.environ, **_arguments()})
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
