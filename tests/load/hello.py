"""A bare functions-framework function: the floor that the benchmark stands beside."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request


@functions_framework.aio.http
async def hello(request: Request) -> str:
    """Read the body and answer."""
    await request.body()
    return "hello"
