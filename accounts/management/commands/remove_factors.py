"""`manage.py remove_factors ADDRESS`: for a person who has lost every factor and every recovery code."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import audit, mail
from accounts.models import Membership
from accounts.origin import ActorKind
from accounts.people.sign_ins import end_all_sessions
from accounts.tenancy import workspace

TEXT = """The second factors of your account were taken off by the operator of this installation,
because somebody asked for it in your name. Every browser is signed out. You sign in with your
password, and can set up a new factor then.

If it was not you, answer this mail at once, and set a new password.

Outreach
"""


class Command(BaseCommand):
    help = "Take every second factor off the account with this confirmed address, and sign it out everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")

    def handle(self, *, address: str, **_: Any) -> None:
        proved = (
            EmailAddress.objects.select_related("user").filter(email__iexact=address, verified=True).first()
        )
        if proved is None:
            raise CommandError("No account has this address as a confirmed one.")
        user = proved.user
        with transaction.atomic():
            taken, _kinds = Authenticator.objects.filter(user=user).delete()
            if not taken:
                raise CommandError("This account has no second factor.")
            end_all_sessions(user)
            for place in Membership.objects.select_related("workspace").filter(user=user):
                with workspace(place.workspace):
                    audit.record(
                        "member.factors_removed",
                        f"The operator took the second factors off the account of {user.get_full_name()}",
                        object_id=user.sid,
                        by=ActorKind.OPERATOR,
                    )
        mail.tell([user.email], "Your account has no second factor any more", TEXT)
        self.stdout.write(
            "The second factors are taken off, every browser is signed out, the person is told by mail."
        )
