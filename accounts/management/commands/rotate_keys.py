"""`manage.py rotate_keys`: new wrapping and data keys while the product runs (docs/operating.md, Keys)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.keyring import rotation
from accounts.keyring.providers import Unreadable, provider


class Command(BaseCommand):
    help = (
        "Wrap every key with the newest of KEYS and give each workspace a new data key. Can be started again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="count by key and change nothing")
        parser.add_argument("--wrapping-only", action="store_true", help="leave the data keys as they are")
        parser.add_argument("--grace", type=float, default=settings.KEY_GRACE_SECONDS, help="seconds")

    def handle(self, *, check: bool, wrapping_only: bool, grace: float, **_: Any) -> None:
        if faults := rotation.missing_wrapping_keys():
            raise CommandError("\n".join(["Nothing was changed.", *faults]))
        if check:
            self._report()
            return
        try:
            if wrapping_only:
                rotation.rewrap(self._say)
                return
            done = rotation.rotate(self._say, grace=grace)
        except Unreadable as error:
            raise CommandError(f"{error}. What was done stays; start again when the key is there.") from error
        self._say(
            f"done: {done.rewrapped} keys wrapped anew, {done.moved} values under new data keys, "
            f"{done.passed_over} looked at again, {done.removed} old data keys removed"
        )
        if done.unreadable:
            raise CommandError(
                "\n".join(["These do not open; the key they name is kept.", *done.unreadable[:50]])
            )

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _report(self) -> None:
        newest = provider().newest()
        wrapped = rotation.wrapped_by()
        for key_id, count in sorted(wrapped.items()):
            self._say(f"wrapping key {key_id}: {count} keys{' (newest)' if key_id == newest else ''}")
        old = sum(count for key_id, count in wrapped.items() if key_id != newest)
        for here in rotation.standing():
            for version in sorted({*here.versions, *here.values}):
                mark = " (newest)" if version == here.newest else ""
                self._say(f"{here.name} version {version}: {here.values[version]} values{mark}")
                old += version != here.newest
        self._say("rotate_keys has work to do" if old else "everything stands under the newest keys")
