"""`manage.py make_operator ADDRESS [--remove]`: who may look at the figures of this installation."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.people.sign_ins import end_all_sessions


class Command(BaseCommand):
    help = "Let the account with this confirmed address see the operator's page, or no longer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("--remove", action="store_true")

    def handle(self, *, address: str, remove: bool, **_: Any) -> None:
        proved = EmailAddress.objects.select_related("user").filter(email__iexact=address, verified=True)
        found = proved.first()
        if found is None:
            raise CommandError("No account has this address as a confirmed one.")
        if not User.objects.filter(pk=found.user.pk, is_staff=remove).update(is_staff=not remove):
            raise CommandError("Nothing to change: it is so already.")
        if remove:
            end_all_sessions(found.user)
        self.stdout.write("No operator any more, signed out everywhere." if remove else "An operator now.")
