"""One copy of a function as a process: `python -m shared.local.system.copy functions.agent_run.main:app --port P`.

The very app that the image serves. SO_REUSEPORT lets several copies share one address: the kernel
spreads connections over those that live, and a copy that comes back finds its address free.
"""

from __future__ import annotations

import argparse
import socket

import uvicorn


def main() -> None:
    """Serve until SIGTERM; requests in flight finish."""
    parser = argparse.ArgumentParser()
    parser.add_argument("app")
    parser.add_argument("--name", default="", help="shown in process lists")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", arguments.port))
    config = uvicorn.Config(
        arguments.app,
        log_level="warning",
        access_log=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=30,
        # Whose forwarded addresses are believed is FORM_TRUSTED_PROXIES' to say, not the server's.
        proxy_headers=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
