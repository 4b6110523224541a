"""The account's own pages, a module for each subject."""

from accounts.views.legal import csrf_failure

__all__ = ["csrf_failure"]
