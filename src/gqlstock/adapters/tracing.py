"""Records an OpenTelemetry span for each GraphQL operation, if OpenTelemetry is installed and its variables are set.

A span continues the trace of the caller (``traceparent``). Statements have no spans of their own.
"""

import asyncio
import contextlib
import importlib
import time
from collections.abc import AsyncIterator
from typing import Any

from gqlstock.trail import Operation, Trail


def provider() -> Any:
    """A tracer provider that exports spans as the OTEL_* variables configure."""
    # An extra of the package, so it is only imported when used.
    resources = importlib.import_module("opentelemetry.sdk.resources")
    tracing = importlib.import_module("opentelemetry.sdk.trace")
    export = importlib.import_module("opentelemetry.sdk.trace.export")
    otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    resource = resources.Resource({"service.name": "gqlstock"}).merge(resources.OTELResourceDetector().detect())
    provider = tracing.TracerProvider(resource=resource)
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    return provider


class Tracing:
    """Records a span when an operation ends."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._trace = importlib.import_module("opentelemetry.trace")
        propagation = importlib.import_module("opentelemetry.trace.propagation.tracecontext")
        self._parents = propagation.TraceContextTextMapPropagator()
        self._tracer = provider.get_tracer("gqlstock")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Export the remaining spans at the end of the block."""
        try:
            yield
        finally:
            await asyncio.to_thread(self._provider.shutdown)

    def answered(self, status: int) -> None: ...

    def began(self, of: Trail, operation: Operation) -> None: ...

    def ended(self, of: Trail, operation: Operation) -> None:
        span = self._tracer.start_span(
            f"{operation.kind} {operation.name}" if operation.name else operation.kind,
            context=self._parents.extract({"traceparent": of.parent}) if of.parent else None,
            kind=self._trace.SpanKind.SERVER,
            # The library takes the end of the span from this machine's clock.
            start_time=time.time_ns() - int((time.perf_counter() - operation.started) * 1e9),  # noqa: TID251
            attributes=_attributes(of, operation),
        )
        if "INTERNAL" in operation.errors:
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()


def _attributes(of: Trail, operation: Operation) -> dict[str, Any]:
    attributes = {
        "graphql.operation.type": operation.kind,
        "graphql.operation.name": operation.name,
        "gqlstock.request_id": of.id,
        "gqlstock.caller": operation.caller,
        "gqlstock.errors": sorted(operation.errors) or None,
        "gqlstock.refusals": sorted(operation.refusals) or None,
    }
    return {name: value for name, value in attributes.items() if value is not None}
