"""`python -m config.healthcheck`: ends with 0 while the web server of this container is ready."""

from __future__ import annotations

import http.client
import os
import sys


def main() -> int:
    # The server sends plain HTTP on to TLS and knows its own names only; the proxy's header answers both.
    headers = {
        "Host": os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0],
        "X-Forwarded-Proto": "https",
    }
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
    try:
        connection.request("GET", "/readyz", headers=headers)
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
