"""How values of environment variables are read: each either has its meaning, or is refused with what would be right."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit

from email_validator import EmailNotValidError, validate_email

Choice = TypeVar("Choice", bound=StrEnum)


class ConfigError(Exception):
    """A value of the environment that cannot be worked with; says which, and what would be right."""


def wrong(name: str, value: str, right: str) -> ConfigError:
    return ConfigError(f"{name} is {_without_password(value)!r}: {right}")


def _without_password(value: str) -> str:
    """The value with its passwords hidden, whatever else is wrong with it."""
    value = re.sub("(password=)[^&#]*", r"\1***", value)
    scheme, separator, rest = value.partition("://")
    account, at, host = rest.rpartition("@")
    user, colon, _ = account.partition(":")
    return f"{scheme}{separator}{user}{colon}***{at}{host}" if at and colon else value


_PREFIX = "GQLSTOCK_"
# Read by examples and tests, and what Kubernetes sets for a service named gqlstock.
_OF_OTHERS = ("GQLSTOCK_URL", "GQLSTOCK_TOKEN", "GQLSTOCK_TEST_", "GQLSTOCK_SERVICE_", "GQLSTOCK_PORT")


def unknown_names(environ: Mapping[str, str], known: Collection[str]) -> list[str]:
    """A warning for each variable that looks like ours and is not read. It suggests a known name that is similar."""
    return [
        f"{name} is unknown and has no effect.{_suggestion(name, known)}"
        for name in sorted(environ)
        if name.upper().startswith(_PREFIX) and name not in known and not name.startswith(_OF_OTHERS)
    ]


def _suggestion(name: str, known: Collection[str]) -> str:
    # Without the prefix, which would make all names similar.
    endings = sorted(one.removeprefix(_PREFIX) for one in known)
    similar = difflib.get_close_matches(name.upper().removeprefix(_PREFIX), endings, n=1)
    return f" Did you mean {_PREFIX}{similar[0]}?" if similar else ""


def split_url(name: str, value: str, right: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise wrong(name, value, right) from None
    return parts


def split_hosts(name: str, value: str, right: str, port: int) -> tuple[SplitResult, list[tuple[str, int]]]:
    """The parts of a URL with several hosts, ``host:port,host:port``, as if it named the first alone; and all hosts.

    ``port``: that of hosts without one.
    """
    scheme, _, rest = value.partition("://")
    location, slash, path = rest.partition("/")
    account, at, hosts = location.rpartition("@")
    urls = [split_url(name, f"{scheme}://{account}{at}{host}{slash}{path}", right) for host in hosts.split(",")]
    if not all(url.hostname for url in urls):
        raise wrong(name, value, right)
    return urls[0], [(url.hostname or "", url.port or port) for url in urls]


def known_options(name: str, value: str, query: str, known: Sequence[str]) -> dict[str, str]:
    """What is behind the ? of a URL."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    unknown = [option for option in given if option not in known]
    if unknown:
        raise wrong(name, value, f"{unknown[0]} is not known; behind the ? there can be {' and '.join(known)}.")
    return given


def email(name: str, value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError:
        raise wrong(name, value, "write an address such as stock@shop.example.") from None


def whole(given: Mapping[str, str], name: str, usual: int, least: int, most: int, unit: str = "") -> int:
    value = given.get(name, str(usual))
    if not (value.isascii() and value.isdigit() and len(value) <= 10 and least <= int(value) <= most):
        raise wrong(name, value, f"write a whole number{unit and f' of {unit}'}, {least} to {most}.")
    return int(value)


def switch(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise wrong(name, value, "write true or false.")
    return value.lower() == "true"


def one_of(choices: type[Choice], name: str, value: str) -> Choice:
    if value not in list(choices):
        *others, last = choices
        raise wrong(name, value, f"write {', '.join(others)} or {last}.")
    return choices(value)


def web_address(name: str, value: str, right: str) -> str:
    """An http or https URL."""
    parts = split_url(name, value, right)
    if parts.scheme not in ("http", "https") or not parts.hostname or not value.isprintable() or " " in value:
        raise wrong(name, value, right)
    return value
