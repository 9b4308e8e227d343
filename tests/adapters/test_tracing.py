"""Spans of operations: what is in them, and that they get to a collector from a server that ends."""

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gqlstock.adapters.tracing import Tracing
from gqlstock.config import Config
from gqlstock.trail import Operation, Trail
from support import server_processes

TRACE = "0af7651916cd43dd8448eb211c80319c"
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


def test_an_operation_is_a_span_of_the_callers_trace() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    operation = Operation(name="Buy", kind="mutation", caller="till", errors=Counter(INTERNAL=1))

    Tracing(provider).ended(
        Trail("abc-1", "http", lambda *_: None, lambda *_: None, f"00-{TRACE}-b7ad6b7169203331-01"), operation
    )

    (span,) = kept.get_finished_spans()
    assert span.name == "mutation Buy"
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert not span.status.is_ok
    assert dict(span.attributes or {}) == {
        "graphql.operation.type": "mutation",
        "graphql.operation.name": "Buy",
        "gqlstock.request_id": "abc-1",
        "gqlstock.caller": "till",
        "gqlstock.errors": ("INTERNAL",),
    }


def test_it_is_on_where_it_is_installed_and_told_where_to() -> None:
    assert Config.from_env(ENDPOINT).tracing is True
    assert Config.from_env({}).tracing is False
    assert Config.from_env({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}).tracing is False
    assert Config.from_env({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}).tracing is False
    assert Config.from_env(ENDPOINT, installed=lambda package: False).tracing is False


class Collector(ThreadingHTTPServer):
    """Takes whatever is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.taken: list[tuple[str, bytes]] = []


class Taking(BaseHTTPRequestHandler):
    server_processes: Collector

    def do_POST(self) -> None:
        self.server.taken.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


async def test_what_a_server_did_before_its_end_gets_to_the_collector(
    db: None, database_env: dict[str, str], collector: Collector, tmp_path: Path
) -> None:
    env = {**database_env, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}"}

    async with server_processes.serving(env, tmp_path) as serving, server_processes.client() as http:
        await server_processes.ask(http, serving, "query Me { viewer { name } }")

    assert serving.process.returncode == 0
    assert {path for path, _ in collector.taken} == {"/v1/traces"}
    assert any(b"query Me" in body and b"gqlstock" in body for _, body in collector.taken)
