"""The commands that run until they are stopped, in processes of their own."""

import signal
import socket
import time

import httpx
import pytest

from support.command_line import PATIENCE, Run, running, stopped
from support.server_processes import free_port


def until_ready(port: int) -> httpx.Response:
    """The first answer of the server that is being started."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE)
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the server never came up"
            time.sleep(0.1)


def ask(port: int, query: str, token: str | None = None) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.post(f"http://127.0.0.1:{port}/graphql", json={"query": query}, headers=headers, timeout=PATIENCE)
    body: dict[str, object] = answer.json()
    assert "errors" not in body, body
    return dict(body["data"])  # type: ignore[call-overload]


def test_serve_answers_on_a_database_that_is_up_to_date(database_env: dict[str, str]) -> None:
    port = free_port()

    with running("serve", "--port", str(port), env=database_env) as process:
        ready = until_ready(port)
        viewer = ask(port, "{ viewer { authenticated } }")
        code, stderr = stopped(process, signal.SIGINT)

    assert ready.status_code == 200
    assert viewer == {"viewer": {"authenticated": False}}
    assert code == 0
    assert "Traceback" not in stderr


def test_a_port_that_is_taken_is_told(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        result = run("serve", "--port", port)

    assert (result.exit_code, result.stderr) == (
        1,
        f"Cannot listen on 127.0.0.1:{port}: Address already in use. Try another --port.\n",
    )


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("", "--host must not be empty. 0.0.0.0 listens on all IPv4 addresses of this machine."),
        ("192.0.2.1", "Cannot listen on 192.0.2.1:{port}: Cannot assign requested address. Try another --host."),
        ("host.invalid", "Cannot listen on host.invalid:{port}: Name or service not known. Try another --host."),
    ],
)
def test_an_address_that_is_not_of_this_machine_is_told(run: Run, host: str, message: str) -> None:
    port = str(free_port())

    result = run("serve", "--host", host, "--port", port)

    assert (result.exit_code, result.stderr) == (1, f"{message.format(port=port)}\n")
