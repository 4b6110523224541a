"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Checks register themselves; `keys` listens for whoever leaves.
        from accounts import checks, geo, keys  # noqa: F401
        from accounts import policies as _policies  # noqa: F401
        from accounts import project_checks as _project_checks  # noqa: F401
        from accounts.keyring import key_checks  # noqa: F401
        from accounts.people import receivers as _receivers  # noqa: F401
        from accounts.walls import building, variable

        variable.install()
        building.install(self)
