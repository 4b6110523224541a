"""Who belongs to a workspace: roles, invitations, leaving."""
