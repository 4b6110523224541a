"""What is filled in on the pages about members and invitations."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.forms import refuse_control_characters
from accounts.models import Role
from accounts.projects import ProjectName

MAY = {
    Role.OWNER: "Everything, closing the workspace included.",
    Role.ADMIN: "People, keys, settings, and every project.",
    Role.MEMBER: "Write, send, answer, connect mailboxes.",
    Role.VIEWER: "Read, and change nothing.",
}


def _choices(roles: Sequence[Role]) -> list[tuple[str, str]]:
    return [(role.value, f"{role.label}: {MAY[role][0].lower()}{MAY[role][1:]}") for role in roles]


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role")

    def __init__(self, *args: Any, roles: Sequence[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (declared above)
        field.choices = _choices(roles)


class ProjectsForm(forms.Form):
    """`chosen` is None for every project, else the ids of those that are ticked."""

    all_projects = forms.BooleanField(label="Every project, also those that come later", required=False)
    projects = forms.MultipleChoiceField(
        label="Projects",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Counts where not every project is chosen.",
    )

    def __init__(self, *args: Any, names: Sequence[ProjectName], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["projects"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101  (declared above)
        field.choices = [(str(one.id), one.name) for one in names]
        if not names:
            del self.fields["projects"]

    @property
    def chosen(self) -> list[uuid.UUID] | None:
        if self.cleaned_data["all_projects"]:
            return None
        return [uuid.UUID(one) for one in self.cleaned_data.get("projects", [])]


class InvitationForm(ProjectsForm):
    """To one address. Admins see every project, whatever is ticked."""

    field_order = ["email", "role", "all_projects", "projects"]

    email = forms.EmailField(
        label="Address", max_length=254, help_text="The invitation is good for an account with this address."
    )
    role = forms.ChoiceField(label="Role", initial=Role.MEMBER)

    def __init__(self, *args: Any, roles: Sequence[Role], **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"all_projects": True, "role": Role.MEMBER}, **kwargs})
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (declared above)
        field.choices = _choices(roles)

    def clean_email(self) -> str:
        return refuse_control_characters(self.cleaned_data["email"]).lower()

    @property
    def chosen(self) -> list[uuid.UUID] | None:
        return None if self.cleaned_data["role"] == Role.ADMIN else super().chosen
