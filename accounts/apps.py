"""The accounts app."""

from django.apps import AppConfig
from django.conf import settings


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Checks register themselves; `keys` listens for whoever leaves.
        from accounts import checks, failpoints, geo, keys  # noqa: F401
        from accounts import policies as _policies  # noqa: F401
        from accounts import project_checks as _project_checks  # noqa: F401
        from accounts.keyring import key_checks  # noqa: F401
        from accounts.people import receivers as _receivers  # noqa: F401
        from accounts.staff import pulse
        from accounts.walls import building, variable

        # Gunicorn runs no system checks: where DEBUG is off nothing is armed, whatever the setting says.
        # A name that no code has stops the start.
        if settings.DEBUG:
            failpoints.arm_process(settings.FAILPOINTS)
        variable.install()
        building.install(self)
        pulse.install()
