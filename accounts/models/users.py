"""A person who signs in with an email address."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.crypto import salted_hmac

from accounts.inventory import Data, Kept


def mint_sid(prefix: str) -> str:
    """A public identifier: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


def _user_sid() -> str:
    return mint_sid("US")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """`sid` is the public identifier. `email` is account data and stands plain (docs/privacy.md)."""

    inventory = Kept(Data.ACCOUNT, "Who signs in", "The account’s end")

    sid = models.CharField(max_length=34, unique=True, default=_user_sid, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    company = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(auto_now_add=True)
    # Counts "sign out everywhere": every session hangs on it, as on the password.
    session_round = models.PositiveIntegerField(default=0)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email

    @property
    def short_name(self) -> str:
        """What screens call this person: the first name, else the part before the @."""
        return self.name.split()[0] if self.name.strip() else self.email.partition("@")[0]

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        """What Django ends sessions by: the password, and how often the person has signed out everywhere."""
        first: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        if not self.session_round:
            return first
        value = f"{first}|{self.session_round}"
        return salted_hmac(
            "accounts.User.session_round", value, secret=secret, algorithm="sha256"
        ).hexdigest()

    def get_full_name(self) -> str:
        return self.name or self.email
