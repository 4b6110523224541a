"""The doors to rows, asked themselves: what no page lists is seen by no cell."""

from __future__ import annotations

from django.apps import apps
from django.db import transaction

from accounts.models import Membership
from accounts.tenancy import ForeignWorkspace, NoWorkspace, WorkspaceModel, workspace
from accounts.viewpoint import OtherProject, looking_as
from outreach.models import Campaign, MessageKind, Site, Step
from tests.isolation.world import ANOTHER, Visitor, World

# Which tables belong to a project, and by which way: declared here, as expected.py declares who may come.
OF_PROJECTS = {
    "outreach.Project": "",
    "outreach.ProjectAccess": "project",
    "outreach.Campaign": "project",
    "outreach.Step": "campaign__project",
    "outreach.Enrollment": "campaign__project",
    "outreach.Message": "project",
    "outreach.Thread": "project",
    "outreach.Reply": "thread__project",
    "outreach.Note": "thread__project",
    "outreach.ThreadWords": "thread__project",
    "outreach.RemovalCase": "project",
    "outreach.Backlink": "project",
}


# Which tables hold what comes back to a private mailbox, and by which way.
QUIET = {
    "outreach.Thread": {"mailbox": "quiet"},
    "outreach.Reply": {"thread__mailbox": "quiet"},
    "outreach.Note": {"thread__mailbox": "quiet"},
    "outreach.Message": {"mailbox": "quiet", "kind": MessageKind.ANSWER},
}


def strays(world: World, label: str) -> list[str]:
    """Rows of a table that its manager shows to whom they are not: of another workspace, or project."""
    model: type[WorkspaceModel] = apps.get_model(label)
    wrong = []
    with workspace(world.ours.here):
        if model.objects.filter(workspace=world.theirs.here).exists():
            wrong.append(f"{label}: rows of another workspace")
        limited = Membership.objects.get(workspace=world.ours.here, user=world.people[Visitor.ELSEWHERE])
        with looking_as(limited):
            seen = [str(row.pk) for row in model.objects.all()]
        if label in OF_PROJECTS and set(seen) & set(_of_project(label)):
            wrong.append(f"{label}: rows of another project")
        owner = Membership.objects.get(workspace=world.ours.here, user=world.people[Visitor.OWNER])
        theirs = Membership.objects.get(workspace=world.ours.here, user=world.people[Visitor.MEMBER])
        if label in QUIET:
            asked = {
                name: world.ours.rows[value].pk if value == "quiet" else value
                for name, value in QUIET[label].items()
            }
            with looking_as(owner):
                if model.objects.filter(**asked).exists():
                    wrong.append(f"{label}: rows of a private mailbox")
            with looking_as(theirs):
                if not model.objects.filter(**asked).exists():
                    wrong.append(f"{label}: nothing of a private mailbox for the person who connected it")
    return wrong


def written_astray(world: World) -> list[str]:
    """What was stored although it belongs to another workspace, or project; or read with none open."""
    limited = Membership.objects.get(workspace=world.ours.here, user=world.people[Visitor.ELSEWHERE])

    def other_workspace() -> None:
        with workspace(world.ours.here):
            Site(workspace=world.theirs.here, domain="astray.example").save()

    def many_of_another_workspace() -> None:
        with workspace(world.ours.here):
            Site.objects.bulk_create([Site(workspace=world.theirs.here, domain="astray.example")])

    def other_project() -> None:
        with workspace(world.ours.here), looking_as(limited):
            Campaign(project_id=world.ours.rows["project"].pk, name="Astray").save()

    def step_of_another_project() -> None:
        with workspace(world.ours.here), looking_as(limited):
            Step(campaign_id=world.ours.rows["draft"].pk, position=3).save()

    def without_workspace() -> None:
        len(Site.objects.all())

    wrong = []
    acts = [other_workspace, many_of_another_workspace, other_project, step_of_another_project]
    for act in [*acts, without_workspace]:
        with transaction.atomic():
            try:
                act()
                wrong.append(f"{act.__name__.replace('_', ' ')}: nothing refuses it")
            except (ForeignWorkspace, NoWorkspace, OtherProject):
                pass
            except Exception as error:  # noqa: BLE001 - the wall's answer, or a fall
                if "row-level security" not in str(error):
                    wrong.append(f"{act.__name__.replace('_', ' ')}: {error}")
            transaction.set_rollback(True)
    return wrong


def _of_project(label: str) -> list[str]:
    """Ids of the rows that belong to the project that the member of another one does not see."""
    model: type[WorkspaceModel] = apps.get_model(label)
    path = OF_PROJECTS[label]
    mine = model.objects.exclude(**{f"{path}__name" if path else "name": ANOTHER})
    return [str(pk) for pk in mine.values_list("pk", flat=True)]
