"""allauth's forms and page for passkeys and security keys: in our words, and firm against broken answers."""

from __future__ import annotations

from typing import Any

from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django import forms
from django.http import HttpResponse
from django.views.generic.edit import FormView

from accounts.access import Policy
from accounts.forms import refuse_control_characters
from accounts.people.entrance import plain

NO_FIT = "This key does not fit. Try once more."
# What the library raises for an answer that has the right shape and nonsense in it.
_BROKEN = (ValueError, KeyError, AttributeError, TypeError)
_NEW = ("clientDataJSON", "attestationObject")
_KNOWN = ("clientDataJSON", "authenticatorData", "signature")


class DeviceAnswer(forms.JSONField):
    """What a browser's key answers, in WebAuthn's own shape (level 3, toJSON), which the library trusts."""

    def __init__(self, *names: str) -> None:
        super().__init__(required=True, widget=forms.HiddenInput)
        self.names = names

    def clean(self, value: Any) -> dict[str, Any]:
        found = super().clean(value)
        inside = found.get("response") if isinstance(found, dict) else None
        if not isinstance(found, dict) or not isinstance(inside, dict):
            raise forms.ValidationError(NO_FIT)
        texts = [found.get(name) for name in ("id", "rawId", "type")]
        texts += [inside.get(name) for name in self.names]
        if not all(isinstance(text, str) and text.isascii() for text in texts):
            raise forms.ValidationError(NO_FIT)
        return found


class KeyForm(AddWebAuthnForm):  # type: ignore[misc]
    credential = DeviceAnswer(*_NEW)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name, alone = self.fields["name"], self.fields["passwordless"]
        name.label = "Name"
        name.help_text = "How you tell it from your other keys."
        name.widget.attrs["maxlength"] = "60"
        alone.label = "Sign in with it alone"
        alone.help_text = (
            "A passkey: the device asks for your finger, face or PIN, and no password is needed."
        )
        plain(self)

    def clean_name(self) -> str:
        return refuse_control_characters(str(super().clean_name())[:60])

    def clean(self) -> dict[str, Any]:
        try:
            return dict(super().clean())
        except _BROKEN as error:
            raise forms.ValidationError(NO_FIT) from error


class KeyNameForm(EditWebAuthnForm):  # type: ignore[misc]
    name = forms.CharField(label="Name", max_length=60)

    def clean_name(self) -> str:
        return refuse_control_characters(self.cleaned_data["name"])


class _Answered:
    """A form that a key answers: an answer that cannot be read is one that does not fit."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _BROKEN as error:
            raise forms.ValidationError(NO_FIT) from error


class KeyAsFactorForm(_Answered, AuthenticateWebAuthnForm):  # type: ignore[misc]
    credential = DeviceAnswer(*_KNOWN)


class KeyAloneForm(_Answered, LoginWebAuthnForm):  # type: ignore[misc]
    credential = DeviceAnswer(*_KNOWN)


class KeyAgainForm(_Answered, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    credential = DeviceAnswer(*_KNOWN)


class KeyProofView(ReauthenticateWebAuthnView):  # type: ignore[misc]
    """allauth leads a key that does not fit to the start page; here the page asks once more."""

    policy = Policy.signed_in("the person's own account")

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        answer: HttpResponse = FormView.form_invalid(self, form)
        return answer
