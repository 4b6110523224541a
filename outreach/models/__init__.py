"""Projects, contacts, campaigns, messages, threads, links."""

from outreach.models.attachments import Attachment
from outreach.models.boards import Card, Cause, Stage, StageMove
from outreach.models.campaigns import (
    Campaign,
    CampaignKind,
    CampaignState,
    Enrollment,
    EnrollmentState,
    Step,
    StepCondition,
)
from outreach.models.contacts import Basis, Consent, Contact, Site, Suppression, SuppressionReason
from outreach.models.groups import Group, Grouping, GroupKind
from outreach.models.hand_edits import HandEdit
from outreach.models.holidays import Holiday
from outreach.models.imports import ContactImport, ImportPart, ImportState, ListShape
from outreach.models.library import SavedText, TextUse
from outreach.models.links import Backlink, CaseState, LinkState, RemovalCase, Verdict
from outreach.models.messages import Message, MessageKind, MessageState
from outreach.models.projects import Project, ProjectAccess
from outreach.models.receiving import Comparison, PassedOver, Suggested, Suggestion
from outreach.models.saved_views import SavedView, ViewPage
from outreach.models.tasks import Task, TaskKind
from outreach.models.threads import Label, Note, Reply, ReplyKind, Thread, ThreadWords

__all__ = [
    "Attachment",
    "Backlink",
    "Basis",
    "Campaign",
    "CampaignKind",
    "CampaignState",
    "Card",
    "CaseState",
    "Cause",
    "Comparison",
    "Consent",
    "Contact",
    "ContactImport",
    "Enrollment",
    "EnrollmentState",
    "Group",
    "GroupKind",
    "Grouping",
    "HandEdit",
    "Holiday",
    "ImportPart",
    "ImportState",
    "Label",
    "LinkState",
    "ListShape",
    "Message",
    "MessageKind",
    "MessageState",
    "Note",
    "PassedOver",
    "Project",
    "ProjectAccess",
    "RemovalCase",
    "Reply",
    "ReplyKind",
    "SavedText",
    "SavedView",
    "Site",
    "Stage",
    "StageMove",
    "Step",
    "StepCondition",
    "Suggested",
    "Suggestion",
    "Suppression",
    "SuppressionReason",
    "Task",
    "TaskKind",
    "TextUse",
    "Thread",
    "ThreadWords",
    "Verdict",
    "ViewPage",
]
