"""`make mutants`: takes away one check at a time and asks whether the matrix, or the wall, notices.

    python -m tests.mutants [--workers 2] [--sample 12 --seed 1] [--only accounts/membership/members.py]

Ends with 1 where a place that survives, or that no request reaches, is not named in survivors.toml, or where
fewer than 98 % of the places that requests reach, and whose absence changes something, are caught.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import json
import logging
import os
import random
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

LEAST = 0.98
SECONDS = 300
# Addresses, places and how many of them a short run takes.
SHORT = ("outreach:mailbox", "outreach/views/mailboxes.py", 5)


def main() -> int:
    asked = _arguments()
    if asked.short:
        asked.addresses, asked.only, asked.sample = SHORT
    import tests.environment  # noqa: F401 - starts PostgreSQL and Redis and sets the environment

    _warm()
    logging.disable(logging.CRITICAL)  # every refusal would be a line
    from tests.mutants.places import Place
    from tests.mutants.stage import Stage, prepare

    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="outreach-mutants-"))
    if _forked(lambda: prepare(folder, asked.workers, asked.addresses), seconds=3600):
        _say("the stage could not be built")
        return 2
    places: list[Place] = []

    def listed() -> None:
        import pickle

        import django

        django.setup()
        from tests.mutants.places import every_place

        stage: Stage = pickle.loads((folder / "stage.pickle").read_bytes())  # noqa: S301
        for line in stage.red:
            _say(f"red without any mutation: {line}")
        (folder / "places.pickle").write_bytes(pickle.dumps(every_place(stage.labels)))
        sys.exit(1 if stage.red else 0)

    if _forked(listed, seconds=120):
        return 2
    import pickle

    places = pickle.loads((folder / "places.pickle").read_bytes())  # noqa: S301
    known = {one["place"]: one for one in _survivors()}
    chosen = [place for place in places if any(part in place.name for part in asked.only.split(","))]
    if asked.sample:
        chosen = random.Random(asked.seed).sample(chosen, min(asked.sample, len(chosen)))
    _say(f"{len(places)} places, {len(chosen)} tried; stage {time.monotonic() - began:.0f} s")
    results = _tried(chosen, folder, asked.workers)
    return _report(results, known, len(places), time.monotonic() - began, bool(asked.addresses))


# Libraries that no setting changes: every trial inherits them, and imports the product alone.
LIBRARIES = (
    "cryptography.hazmat.primitives.ciphers.aead", "psycopg2", "redis", "celery", "kombu.transport.redis",
    "django.forms", "django.db.models", "django.test", "django.template.defaulttags", "django.contrib.admin",
    "django.db.backends.postgresql.base", "google.auth.transport.requests", "google.oauth2.id_token",
    "google_auth_oauthlib.flow", "googleapiclient.discovery", "google_auth_httplib2", "msal", "requests",
    "lxml.html", "nh3", "liquid", "openpyxl", "css_inline", "inscriptis", "tldextract", "fido2.server",
    "qrcode", "argon2", "yaml", "ua_parser", "maxminddb", "jsonschema", "jwt", "pytest",
    "pytest_django", "factory",
)  # fmt: skip


def _warm() -> None:
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - one that is missing or wants settings is imported later
            _say(f"{name} is not warmed up: {type(error).__name__}")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.mutants")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", default="", help="places whose name holds one of these, with commas between"
    )
    parser.add_argument("--addresses", default="", help="cells of addresses that begin so")
    parser.add_argument("--short", action="store_true", help="a handful, for the tests")
    return parser.parse_args()


def _survivors() -> list[dict[str, Any]]:
    text = (Path(__file__).parent / "survivors.toml").read_text()
    found: list[dict[str, Any]] = tomllib.loads(text).get("survivor", [])
    return found


def _forked(act: Callable[[], None], *, seconds: int) -> int:
    """Do it in a child; its exit code."""
    child = _start(act, seconds)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _start(act: Callable[[], None], seconds: int) -> int:
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.alarm(seconds)
        act()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - a child ends here, whatever it met
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _tried(chosen: list[Any], folder: Path, workers: int) -> list[tuple[Any, dict[str, Any]]]:
    from tests.mutants.trial import into

    waiting, results = list(reversed(chosen)), []
    running: dict[int, tuple[Any, int, Path, float]] = {}
    free = list(range(workers))
    while waiting or running:
        while waiting and free:
            place, number = waiting.pop(), free.pop()
            answer = folder / f"answer-{number}.json"
            answer.unlink(missing_ok=True)
            child = _start(lambda p=place, n=number, a=answer: into(p, folder, n, a), SECONDS)  # type: ignore[misc]
            running[child] = place, number, answer, time.monotonic()
        child, status = os.wait()
        if child not in running:
            continue
        place, number, answer, began = running.pop(child)
        free.append(number)
        found = (
            json.loads(answer.read_text())
            if answer.exists()
            else {"by": "", "what": f"the trial ended with {os.waitstatus_to_exitcode(status)}", "cells": 0}
        )
        results.append((place, found))
        by = found["by"] or "SURVIVED"
        took = f"{time.monotonic() - began:6.1f} s {found['cells']:5} cells"
        _say(f"{by:9}{took}  {place.name}  | {found['what']}")
    return results


def _report(
    results: list[tuple[Any, dict[str, Any]]],
    known: dict[str, dict[str, Any]],
    places: int,
    seconds: float,
    asked_some: bool,
) -> int:
    tally = collections.Counter(found["by"] for _, found in results)
    unnamed = same = 0
    for place, found in results:
        if found["by"] in ("", "unreached"):
            # With some addresses left out, others are not reached either.
            unnamed += place.lasting not in known and not (found["by"] and asked_some)
            named = known.get(place.lasting, {"reason": "NOT NAMED in survivors.toml"})
            _say(f"{found['by'] or 'survived'}: {place.name} ({found['cells']} cells): {named['reason']}")
            same += not found["by"] and bool(named.get("changes_nothing"))
    reached = len(results) - tally["unreached"]
    share = 1 - (tally[""] - same) / (reached - same) if reached > same else 1.0
    _say(
        f"mutants: {places} places, {len(results)} tried: {tally['unreached']} that no request reaches;"
        f" of {reached} others {tally['cells']} caught by cells, {tally['wall']} by the wall,"
        f" {tally['start']} at the start, {tally['']} survived, {same} of which change nothing"
        f" ({share:.1%} of the rest caught), {seconds:.0f} s"
    )
    return 1 if unnamed or share < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
