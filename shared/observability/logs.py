"""JSON lines on stdout: timestamp, level, function, event_type, customer_id, conversation_id, channel.

ERROR for escalations and failures, WARNING for retries and edge cases, INFO for normal work. No
line carries an address or a text: exceptions are logged by type and place, never by message,
since a driver's message may quote the row it failed on.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, merge_contextvars
from structlog.typing import EventDict, FilteringBoundLogger

from shared.errors import FteError

__all__ = ["bind_contextvars", "bound_contextvars", "configure_logging", "logger"]

_BASE_FIELDS = ("customer_id", "conversation_id", "channel")


def configure_logging(function: str, level: str, *, stdout_is_taken: bool = False) -> None:
    """Send our lines and those of every library through one JSON renderer.

    `stdout_is_taken`: a protocol speaks there (MCP), so lines go to stderr.
    """
    shared_steps: list[Any] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _errors_without_words,
        _complete(function),
    ]
    structlog.configure(
        processors=[*shared_steps, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr if stdout_is_taken else None),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr) if stdout_is_taken else _ToStdout()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_library_line, *shared_steps],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel("WARNING")
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


def logger() -> FilteringBoundLogger:
    """The logger; bind customer_id, conversation_id and channel through `bound_contextvars`."""
    return structlog.get_logger()


class _ToStdout(logging.Handler):
    """Writes to whatever stdout is now: a stream kept from start-up may have been closed since."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        sys.stdout.write(self.format(record) + "\n")
        sys.stdout.flush()


def _complete(function: str) -> Any:
    def add(_logger: Any, _method: str, line: EventDict) -> EventDict:
        line.setdefault("function", function)
        line["event_type"] = line.pop("event", line.get("event_type", "log"))
        for name in _BASE_FIELDS:
            line.setdefault(name, None)
        return line

    return add


def _errors_without_words(_logger: Any, _method: str, line: EventDict) -> EventDict:
    info = line.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        line["error_type"] = type(error).__name__
        line["error_at"] = [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno}:{frame.name}" for frame in frames]
        if isinstance(error, FteError):
            line["error_reason"] = error.reason
    return line


def _library_line(_logger: Any, _method: str, line: EventDict) -> EventDict:
    # Libraries put arguments into their messages (URLs with addresses, rows): keep the template alone.
    record = line.get("_record")
    if isinstance(record, logging.LogRecord):
        line["library"] = record.name
        line["event"] = "library"
        line["template"] = str(record.msg)[:200] if record.args else record.name
        if record.exc_info:
            line["exc_info"] = record.exc_info
    return line
