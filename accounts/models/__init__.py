"""Users, workspaces, keys, the audit log, stored service mail."""

from accounts.clock import ClockOffset
from accounts.encryption import WorkspaceKey
from accounts.models.audit import AuditEvent
from accounts.models.mail import ServiceMail
from accounts.models.users import User
from accounts.models.workspaces import Membership, Role, Workspace

__all__ = [
    "AuditEvent",
    "ClockOffset",
    "Membership",
    "Role",
    "ServiceMail",
    "User",
    "Workspace",
    "WorkspaceKey",
]
