"""Bringing in people: pasted lines or a file, with the reason to write to them."""

from __future__ import annotations

from typing import Any

from django import forms

from outreach import importing
from outreach.forms import LineField
from outreach.imports import steps
from outreach.models import Basis


class PasteForm(forms.Form):
    """Either lines or a file. The file's rows are read by `importing`, which refuses what is no table."""

    most_bytes = importing.MOST_BYTES

    lines = forms.CharField(
        required=False,
        strip=False,
        label="Lines",
        help_text="One person a line, as “Anselm &lt;anselm@ridgewalkers.example&gt;” or only the address. "
        "A table copied from a spreadsheet works too.",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(
        required=False,
        allow_empty_file=False,
        label="Or a file",
        help_text="CSV or Excel, at most 2 MB and 10,000 rows. The first row names the columns.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        error_messages={"empty": "This file is empty."},
    )
    basis = forms.ChoiceField(choices=Basis.choices, label="Why may you write to them?")
    source = LineField(
        max_length=200,
        label="Where are the addresses from?",
        help_text="Shown to each person: “How we found you: …”.",
        error_messages={"required": "Say where the addresses are from, such as “their imprint”."},
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        lines, file = data.get("lines", ""), data.get("file")
        if not lines.strip() and not file and not self.errors.get("file"):
            self.add_error("lines", "Paste some lines, or choose a file.")
        if len(lines.encode(errors="replace")) > importing.MOST_BYTES:
            self.add_error("lines", "This is more than 2 MB. Bring it in parts.")
        if file is not None and file and file.size > self.most_bytes:
            most = self.most_bytes // 1024 // 1024
            self.add_error("file", f"This file is larger than {most} MB. Bring it in parts.")
        return data

    def report(self) -> importing.Report:
        """The rows and the rejects. Raises ImportRefused."""
        file = self.cleaned_data["file"]
        if file:
            return importing.read_file(file.read(), filename=file.name or "")
        return importing.read_pasted(self.cleaned_data["lines"])


class ImportForm(PasteForm):
    """A list for the address book, which may be large: it is read and stored behind the page."""

    most_bytes = steps.MOST_BYTES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "file"
        ].help_text = "CSV or Excel, at most 20 MB and 100,000 rows. The first row names the columns."
