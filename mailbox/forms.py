"""What a person may change on a connected mailbox."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms

from mailbox.models import Mailbox


def one_line(value: str) -> str:
    """Refuse what could break out of a mail's header."""
    if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") for sign in value):
        raise forms.ValidationError(
            "Take out line breaks and control characters: this goes into a mail’s header."
        )
    return value


class MailboxForm(forms.Form):
    """`ceiling` is the most that this account may ever send in 24 hours."""

    display_name = forms.CharField(
        label="Name in From", max_length=120, strip=True, help_text="What recipients see beside the address."
    )
    signature = forms.CharField(
        label="Signature",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Plain text, put under each mail.",
    )

    def __init__(self, *args: Any, mailbox: Mailbox, ceiling: int, **kwargs: Any) -> None:
        kwargs["initial"] = {
            "display_name": mailbox.display_name,
            "signature": mailbox.signature,
            "daily_cap": min(mailbox.daily_cap, ceiling),
        }
        super().__init__(*args, **kwargs)
        self.fields["daily_cap"] = forms.IntegerField(
            label="Most mails in 24 hours",
            min_value=1,
            max_value=ceiling,
            help_text=f"At most {ceiling} for this kind of account. A new mailbox starts lower and grows by "
            "itself; your number is the lid.",
        )
        self.fields["display_name"].widget.attrs["autocomplete"] = "off"

    def clean_display_name(self) -> str:
        return one_line(self.cleaned_data["display_name"])
