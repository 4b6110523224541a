"""The two listeners on loopback and the worker for what happens later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from mailbox.sandbox import (
    acts,
    admin,
    control,
    gmail_api,
    google_oauth,
    graph_api,
    graph_files,
    graph_subscriptions,
    microsoft_oauth,
    push_control,
)
from mailbox.sandbox.certificates import server_context
from mailbox.sandbox.context import SANDBOX, Sandbox, open_sandbox
from mailbox.sandbox.gate import gate
from mailbox.sandbox.settings import Settings

LOOPBACK = "127.0.0.1"
MAX_BODY = 80 * 1024 * 1024


def application(sandbox: Sandbox, routes: list[web.RouteDef]) -> web.Application:
    app = web.Application(middlewares=[gate], client_max_size=MAX_BODY)
    app[SANDBOX] = sandbox
    app.add_routes(routes)
    return app


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Sandbox]:
    """A sandbox that answers until the block ends. Raises OSError where a port is taken."""
    settings.directory.mkdir(parents=True, exist_ok=True)
    sandbox = open_sandbox(settings)
    plain = application(
        sandbox,
        [
            *google_oauth.routes(),
            *gmail_api.routes(),
            *microsoft_oauth.page_routes(),
            *control.routes(),
            *push_control.routes(),
            *admin.routes(),
        ],
    )
    secure = application(
        sandbox,
        [
            *microsoft_oauth.routes(),
            *graph_api.routes(),
            *graph_files.routes(),
            *graph_subscriptions.routes(),
        ],
    )
    runners = [
        web.AppRunner(app, access_log=None, keepalive_timeout=75, shutdown_timeout=1)
        for app in (plain, secure)
    ]
    worker = asyncio.create_task(sandbox.jobs.run(acts.handlers(sandbox)))
    try:
        for runner in runners:
            await runner.setup()
        context = server_context(settings.directory)
        await web.TCPSite(runners[0], LOOPBACK, settings.http_port).start()
        await web.TCPSite(runners[1], LOOPBACK, settings.tls_port, ssl_context=context).start()
        yield sandbox
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        for runner in runners:
            await runner.cleanup()
        sandbox.store.close()
