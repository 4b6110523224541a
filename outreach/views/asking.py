"""The page before an act that cannot be undone, for the views of this app."""

from accounts.asking import ask

__all__ = ["ask"]
