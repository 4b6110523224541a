"""The product's own app."""

from django.apps import AppConfig


class OutreachConfig(AppConfig):
    name = "outreach"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from outreach import (  # noqa: F401  (they connect themselves)
            figures,
            project_access,
            receivers,
            viewpoint,
        )

        figures.install()
