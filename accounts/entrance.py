"""allauth's sign-in and sign-up forms in our words.

Apart from accounts/forms.py because allauth builds its own forms on the SignupForm that stands there.
"""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm, SignupForm
from django import forms


class SignInForm(LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)

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
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
