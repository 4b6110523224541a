"""Projects, contacts, campaigns, messages, threads, links."""

from outreach.models.campaigns import Campaign, CampaignKind, CampaignState, Enrollment, EnrollmentState, Step
from outreach.models.contacts import Basis, Consent, Contact, Site, Suppression, SuppressionReason
from outreach.models.links import Backlink, CaseState, LinkState, RemovalCase, Verdict
from outreach.models.messages import Message, MessageKind, MessageState
from outreach.models.projects import Project, ProjectAccess
from outreach.models.threads import Label, Reply, ReplyKind, Thread

__all__ = [
    "Backlink",
    "Basis",
    "Campaign",
    "CampaignKind",
    "CampaignState",
    "CaseState",
    "Consent",
    "Contact",
    "Enrollment",
    "EnrollmentState",
    "Label",
    "LinkState",
    "Message",
    "MessageKind",
    "MessageState",
    "Project",
    "ProjectAccess",
    "RemovalCase",
    "Reply",
    "ReplyKind",
    "Site",
    "Step",
    "Suppression",
    "SuppressionReason",
    "Thread",
    "Verdict",
]
