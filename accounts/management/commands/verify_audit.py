"""manage.py verify_audit <export> [--anchors <file>]: whether a downloaded activity log is whole."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.activity import chain


class Command(BaseCommand):
    help = (
        "Verify an export of the activity log (JSON Lines), against anchors kept elsewhere where there are."
    )
    # The files are all it looks at.
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("export", help="the JSON Lines file")
        parser.add_argument("--anchors", help="a text with lines: day workspace seq hash")

    def handle(self, *args: Any, **options: Any) -> None:
        arguments = [options["export"]]
        if options["anchors"]:
            arguments += ["--anchors", options["anchors"]]
        code = chain.main(arguments)
        if code:
            raise CommandError(
                "the log does not verify" if code == 1 else "a file cannot be read", returncode=code
            )
