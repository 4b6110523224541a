"""django-post-office on as many mails, to an SMTP sink on this machine; prints the seconds it took."""

from __future__ import annotations

import os
import socketserver
import sys
import threading
import time
from typing import Any

from benchmarks.sending.world import TEXT


class Sink(socketserver.StreamRequestHandler):
    """Takes every mail, each after the latency of one call."""

    seconds = 0.0

    def handle(self) -> None:
        self._say("220 sink")
        while line := self.rfile.readline():
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                self._say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                time.sleep(self.seconds)
                self._say("250 taken")
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


def main() -> None:
    mails, latency, processes = sys.argv[1:]
    Sink.seconds = int(latency) / 1000
    server = Server(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    configure(int(server.server_address[1]))
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from post_office import mail
    from post_office.models import STATUS, Email

    made = [
        {"recipients": [f"p{number}@hut.invalid"], "sender": "m@bench.example", "subject": "Your hut table",
         "message": "Hello", "html_message": TEXT}
        for number in range(int(mails))
    ]  # fmt: skip
    mail.send_many(made)
    began = time.monotonic()
    while Email.objects.filter(status__in=[STATUS.queued, STATUS.requeued]).exists():
        call_command("send_queued_mail", processes=int(processes), verbosity=0)
    took = time.monotonic() - began
    if missing := int(mails) - Email.objects.filter(status=STATUS.sent).count():
        raise SystemExit(f"{missing} mails were not sent")
    print(took)


def configure(port: int) -> None:
    from django.conf import settings
    from django.db import connection

    values: dict[str, Any] = {
        "SECRET_KEY": "bench",
        "INSTALLED_APPS": ["django.contrib.contenttypes", "post_office"],
        "DATABASES": {"default": _database()},
        "EMAIL_BACKEND": "post_office.EmailBackend",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": port,
        "POST_OFFICE": {
            "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
            "BATCH_SIZE": 200,
            "LOG_LEVEL": 0,
        },
        "USE_TZ": True,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    }
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    settings.configure(**values)
    import django

    django.setup()
    connection.ensure_connection()


def _database() -> dict[str, Any]:
    """A schema-free database beside the product's, on the same server, by its owner."""
    import environ
    import psycopg2
    from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT

    url = os.environ["BENCH_OWNER_URL"]
    with_server = psycopg2.connect(url)
    with_server.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
    with with_server.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS post_office")
        cursor.execute("CREATE DATABASE post_office")
    with_server.close()
    found: dict[str, Any] = environ.Env.db_url_config(url.rpartition("/")[0] + "/post_office")
    return found


if __name__ == "__main__":
    main()
