"""Is the process alive, and can it serve? For load balancers and supervisors; no sign-in."""

import logging

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.channel.port import SwitchPort

logger = logging.getLogger("api.operations")


def health_router(switch: SwitchPort) -> APIRouter:
    """GET /health/live: 200 as long as the loop runs. GET /health/ready: 200 when every
    dependency can serve, else 503; the body names each."""
    router = APIRouter(prefix="/health")

    async def live() -> JSONResponse:
        return JSONResponse({"status": "live"})

    async def ready() -> JSONResponse:
        try:
            dependencies = await switch.ready()
        except Exception:
            # Whatever it is, a load balancer must hear "not ready" and nothing of the inside.
            logger.exception("readiness could not be told")
            dependencies = dict[str, bool]()
        usable = bool(dependencies) and all(dependencies.values())
        return JSONResponse(
            {"status": "ready" if usable else "not ready", "dependencies": dependencies},
            status_code=200 if usable else 503,
        )

    router.add_api_route("/live", live, include_in_schema=False)
    router.add_api_route("/ready", ready, include_in_schema=False)
    return router
