"""The application: routes, the stream, the dashboard's files, and what surrounds each request."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp

from ringfence.service import problems
from ringfence.service.desk import Desk
from ringfence.service.guard import Guard
from ringfence.service.logs import log
from ringfence.service.routes import accounts, commands, dashboard, journal, keys, pools, system
from ringfence.service.socket import Stream, stream

BODY_MAX = 256 * 1024

HANDLERS = [
    *pools.HANDLERS,
    *accounts.HANDLERS,
    *journal.HANDLERS,
    *commands.HANDLERS,
    *keys.HANDLERS,
    *system.HANDLERS,
    *dashboard.HANDLERS,
]


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer an exception with its problem, and log what nobody expected."""
    problem = problems.problem_of(error)
    if problem.status == 500:
        log.error("request failed", path=request.url.path, error=error)
    answer = problems.answer(problem)
    if problem.status == 405:
        answer.headers["Allow"] = _allowed(request.app, request.url.path)
    return answer


def _allowed(app: Litestar, path: str) -> str:
    """Return the methods of a path; HEAD is answered wherever GET is."""
    found: set[str] = set()
    for route in app.routes:
        shape = re.sub(r"\{[^}]*\}", "[^/]+", route.path_format)
        if isinstance(route, HTTPRoute) and re.fullmatch(shape, path):
            found |= {str(method) for method in route.methods}
    return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))


def build(desk: Desk, hosts: Sequence[str], *, limit_loopback: bool = False) -> ASGIApp:
    """Return the application of a desk, its guard around it.

    hosts: Names that a request may be addressed to; others are refused, so that no page from
    elsewhere can reach a venue on loopback through a name of its own.
    """
    connections = Stream(desk)
    desk.attach(connections)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        desk.begin()
        try:
            yield
        finally:
            await desk.end()

    app = Litestar(
        [*HANDLERS, stream],
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False)},
        exception_handlers={Exception: unexpected, HTTPException: unexpected},
        openapi_config=OpenAPIConfig(
            title="Ringfence",
            version="1",
            description="An isolated-margin venue; docs/reference/http.md explains.",
            # The framework answers every path beside its own with HTML, so it gets a corner.
            path="/v1/openapi",
            render_plugins=[JsonRenderPlugin()],
            use_handler_docstrings=True,
        ),
        request_max_body_size=BODY_MAX,
        lifespan=[lifespan],
        logging_config=None,
        debug=False,
    )
    app.state.stream = connections
    # Around the whole: the framework answers unknown paths and methods outside of middleware.
    return Guard(desk, hosts, limit_loopback=limit_loopback).around(app)
