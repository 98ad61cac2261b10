"""Health, readiness, metrics, and the spec's schema."""

from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST

from ringfence.core.bounds import HARD_BOUNDS, parameter_name
from ringfence.core.spec import PoolSpec, parse_spec
from ringfence.service.problems import ProblemError, documented
from ringfence.service.routes.common import TheDesk

EXAMPLE = Path(__file__).parents[2] / "cli" / "pool.toml"


class Health(msgspec.Struct, frozen=True):
    """The process lives."""

    status: str


class Ready(msgspec.Struct, frozen=True):
    """Commands are taken."""

    status: str
    seq: int


class SpecSchema(msgspec.Struct, frozen=True):
    """How a pool's spec is written."""

    schema: dict[str, Any]
    bounds: dict[str, tuple[int, int]]  # raw integers, that no pool may leave
    example: PoolSpec


@get("/health", sync_to_thread=False, responses=documented())
def health() -> Health:
    """The process lives."""
    return Health("ok")


@get("/ready", sync_to_thread=False, responses=documented())
def ready(desk: TheDesk) -> Ready:
    """Whether commands are taken."""
    writer = desk.writer
    if writer.halted is not None:
        raise ProblemError("halted", writer.halted)
    if not writer.is_running:
        raise ProblemError("stopping", "the service is stopping", retry_after_ms=5000)
    return Ready("ok", desk.snapshot.seq)


@get("/metrics", sync_to_thread=False, media_type="text/plain", responses=documented())
def metrics(desk: TheDesk) -> Response[bytes]:
    """Figures for Prometheus."""
    return Response(desk.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@get("/v1/spec/schema", sync_to_thread=False, responses=documented())
def spec_schema() -> SpecSchema:
    """JSON Schema of a pool's spec, the bounds of its parameters, and an example."""
    schema: dict[str, Any] = msgspec.json.schema(PoolSpec)
    bounds = {parameter_name(p): limits for p, limits in HARD_BOUNDS.items()}
    return SpecSchema(schema, bounds, parse_spec(EXAMPLE.read_text(encoding="utf-8")))


@get("/v1/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """OpenAPI of all routes but this one."""
    return request.app.openapi_schema.to_schema()


HANDLERS = [openapi, health, ready, metrics, spec_schema]
