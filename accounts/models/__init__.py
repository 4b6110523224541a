"""Users, workspaces, invitations, keys, the audit log, stored service mail."""

from accounts.clock import ClockOffset
from accounts.keyring.keystore import KeyRotation, WorkspaceKey
from accounts.models.audit import AuditAnchor, AuditEvent, AuditSeal, AuditText
from accounts.models.invitations import Invitation
from accounts.models.keys import ApiAnswer, ApiKey, ApiRequest, KeyKind, KeyPlace
from accounts.models.mail import ServiceMail
from accounts.models.sign_ins import SignIn
from accounts.models.users import User
from accounts.models.workspaces import Membership, Role, Workspace

__all__ = [
    "ApiAnswer",
    "ApiKey",
    "ApiRequest",
    "AuditAnchor",
    "AuditEvent",
    "AuditSeal",
    "AuditText",
    "ClockOffset",
    "Invitation",
    "KeyKind",
    "KeyPlace",
    "KeyRotation",
    "Membership",
    "Role",
    "ServiceMail",
    "SignIn",
    "User",
    "Workspace",
    "WorkspaceKey",
]
