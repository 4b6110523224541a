"""Forms of removal work: a new list, an import, who is asked, and the text of the request."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from mailbox.models import Mailbox
from outreach.forms import AddressField, LineField, ProjectForm
from outreach.forms_campaigns import MailboxChoice
from outreach.links.importing import MOST_BYTES
from outreach.models import Contact, RemovalCase

MOST_PASTED = 2 * 1024 * 1024
MOST_TEXT = 20_000


class RemovalForm(ProjectForm):
    """A project for removal work needs the website that the links point to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["website"].required = True
        self.fields["website"].help_text = "The domain that the links point to, such as fernhill.example."


class LinksForm(forms.Form):
    """Pasted lines or a file; `source_column` and `target_column` where no column was recognised."""

    file = forms.FileField(
        required=False,
        allow_empty_file=False,
        label="A file",
        help_text="CSV or Excel with at least the linking page. Exports of Google Search Console, Ahrefs "
        "and Semrush are read as they are. At most 8 MB and 50,000 rows.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        error_messages={"empty": "This file is empty."},
    )
    lines = forms.CharField(
        required=False,
        strip=False,
        label="Or lines",
        help_text="One linking page a line, or a table copied from a spreadsheet with its first row.",
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    source_column = forms.CharField(required=False, max_length=200, label="Column with the linking pages")
    target_column = forms.CharField(required=False, max_length=200, label="Column with your pages")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        lines, file = data.get("lines", ""), data.get("file")
        if not lines.strip() and not file and not self.errors.get("file"):
            self.add_error("file", "Choose a file, or paste some lines.")
        if len(lines.encode(errors="replace")) > MOST_PASTED:
            self.add_error("lines", "This is more than 2 MB. Bring it as a file, or in parts.")
        if file and file.size > MOST_BYTES:
            self.add_error("file", f"This file is larger than {MOST_BYTES // 1024 // 1024} MB. Divide it.")
        return data


class CaseContactForm(forms.Form):
    """Who is asked: an address that is typed, or somebody known at the site."""

    known: forms.ModelChoiceField[Contact] = forms.ModelChoiceField(
        None, required=False, label="Known there", empty_label="Somebody else"
    )
    address = AddressField(required=False, label="Address")
    name = LineField(max_length=160, required=False, label="Name")
    source = LineField(
        max_length=200,
        required=False,
        label="Where is the address from?",
        help_text="Shown to the person: “How we found you: …”. Such as: on their imprint.",
    )

    def __init__(self, *args: Any, case: RemovalCase, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = cast("forms.ModelChoiceField[Contact]", self.fields["known"])
        known.queryset = Contact.objects.filter(site=case.site_id).order_by("created_at")
        known.label_from_instance = _named  # type: ignore[assignment]
        if not known.queryset.exists():
            del self.fields["known"]
            self.fields["address"].required = True
            self.fields["address"].error_messages["required"] = "Type an address."
        first = next(iter(self.fields.values()))
        first.widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("known") and not data.get("address") and "address" not in self.errors:
            self.add_error("address", "Type an address, or choose somebody.")
        return data


def _named(row: Contact) -> str:
    return f"{row.name} {row.address}".strip()


class RequestTextForm(forms.Form):
    """The request and up to two reminders as plain text with fields; an empty reminder is not sent."""

    mailbox = MailboxChoice(help_text="Requests leave from this address, and answers come back to it.")
    subject = LineField(max_length=200, label="Subject")
    body = forms.CharField(strip=False, label="Request", widget=forms.Textarea(attrs={"rows": 11}))
    wait_2 = forms.IntegerField(min_value=1, max_value=60, label="Days before the first reminder")
    body_2 = forms.CharField(
        strip=False, required=False, label="First reminder", widget=forms.Textarea(attrs={"rows": 7})
    )
    wait_3 = forms.IntegerField(min_value=1, max_value=60, label="Days before the last reminder")
    body_3 = forms.CharField(
        strip=False, required=False, label="Last reminder", widget=forms.Textarea(attrs={"rows": 7})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("MailboxChoice", self.fields["mailbox"]).queryset = Mailbox.objects.live().order_by(
            "connected_at"
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("body", "body_2", "body_3"):
            text = str(data.get(name, "")).replace("\r\n", "\n").replace("\x00", "")
            if len(text) > MOST_TEXT:
                self.add_error(name, f"At most {MOST_TEXT:,} characters; this has {len(text):,}.")
            data[name] = text
        if not str(data.get("body", "")).strip() and "body" not in self.errors:
            self.add_error("body", ValidationError("The request has no text."))
        if str(data.get("body_3", "")).strip() and not str(data.get("body_2", "")).strip():
            self.add_error("body_2", "A last reminder needs a first one.")
        return data
