"""The mailbox app. It shares its name with Python's `mailbox` module: run from the repository's root."""

from django.apps import AppConfig


class MailboxConfig(AppConfig):
    name = "mailbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from mailbox import figures
        from mailbox import receivers as _receivers  # noqa: F401  (listens to facts about people)

        figures.install()
