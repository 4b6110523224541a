"""Each sign-in of a person, kept for 12 months: when, from where, with what."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.clock import Now
from accounts.inventory import Data, Kept

WORDS = {
    "password": "password",
    "password_reset": "link by mail",
    "passkey": "passkey",
    "totp": "app",
    "webauthn": "key",
    "recovery_codes": "recovery code",
    "google": "Google",
    "microsoft": "Microsoft",
}


class SignIn(models.Model):
    """Account data: it belongs to a person and to no workspace, so the address stands plain.

    `method` says how: "password", "passkey", "google", and a second factor behind a plus: "password+totp".
    """

    inventory = Kept(Data.ACCOUNT, "Sign-ins a person can check", "12 months")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins")
    at = models.DateTimeField(db_default=Now())
    device = models.CharField(max_length=60, blank=True)
    ip = models.GenericIPAddressField(null=True)
    country = models.CharField(max_length=2, blank=True)
    method = models.CharField(max_length=40, blank=True)
    new_browser = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-at", "-id"], name="sign_ins_newest_first"),
            models.Index(fields=["at"], name="sign_ins_by_age"),
        ]

    @property
    def how(self) -> str:
        """The method in words; a sign-in behind a confirmed address names none."""
        steps = [WORDS.get(step, step.capitalize()) for step in self.method.split("+") if step]
        return " and ".join(steps) or "link by mail"
