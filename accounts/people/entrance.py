"""allauth's forms in our words: the ways in, the second factor, the proof.

Apart from accounts/forms.py because allauth builds its own forms on the SignupForm that stands there.
"""

from __future__ import annotations

from typing import Any

from allauth.account.forms import AddEmailForm, LoginForm, ReauthenticateForm, SignupForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as CodeAgain
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from accounts.membership.invited import invited
from accounts.people.rehearsal import rehearse_sign_up

CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": "autofocus"}


def plain(form: forms.BaseForm) -> None:
    """A placeholder disappears while one types; labels stay."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)


class SignInForm(LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        waiting = invited(self.request)
        if waiting is not None:
            self.fields["login"].initial = waiting.address
        plain(self)

    def clean(self) -> dict[str, Any]:
        """What does not fit is said beside the password, for every address in the same words."""
        try:
            super().clean()
        except forms.ValidationError as error:
            self.add_error("password", error)
        return dict(self.cleaned_data)


class AccountSignupForm(SignupForm):  # type: ignore[misc]
    field_order = ["name", "email", "password1", "company"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = "At least 10 characters."
        self._fill_in()
        plain(self)

    def _fill_in(self) -> None:
        """Whoever comes from an invitation finds its address in the field."""
        waiting = invited(context.request)
        if waiting is not None and not self.initial.get("email"):
            self.initial["email"] = waiting.address

    def try_save(self, request: HttpRequest) -> Any:
        """An address that has an account costs the same time as one that has none (threats T41)."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
            rehearse_sign_up(self.cleaned_data["name"], self.cleaned_data.get("company", ""))
        return super().try_save(request)


class PasswordAgainForm(ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs["autofocus"] = "autofocus"
        plain(self)


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(CODE)
        self.fields["code"].help_text = "Six digits from your app, or one of your recovery codes."
        plain(self)


class CodeAgainForm(CodeAgain):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(CODE)
        self.fields["code"].help_text = "Six digits from your app, or one of your recovery codes."
        plain(self)


class AppForm(ActivateTOTPForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code that the app shows"
        self.fields["code"].widget.attrs.update(CODE)
        plain(self)


class AddressForm(AddEmailForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "Another address"
        self.fields["email"].help_text = "We send a link there. The address counts once the link is pressed."
        plain(self)
