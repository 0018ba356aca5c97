"""Trace context: W3C traceparent in, spans inside, traceparent out.

Spans are recorded by OpenTelemetry's SDK; exporting is a matter of the standard OTEL_* settings.
Attributes never carry personal data.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()


def configure_tracing(function: str) -> None:
    """Install the SDK's provider once a process, named after the function."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider(resource=Resource.create({"service.name": function})))


def current_traceparent() -> str | None:
    """The traceparent of the current span, or None outside of one."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def span(name: str, carrier: Mapping[str, str] | None = None, **attributes: str) -> Generator[None]:
    """A span under the caller's trace (`carrier` holds `traceparent`), or under the current one."""
    parent = _PROPAGATOR.extract(carrier) if carrier else context.get_current()
    tracer = trace.get_tracer("fte")
    with tracer.start_as_current_span(name, context=parent, attributes=attributes, record_exception=False):
        yield
