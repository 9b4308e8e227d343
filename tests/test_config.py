"""What the environment may say, and how it is told what is wrong."""

from datetime import timedelta
from pathlib import Path

import pytest

from gqlstock.config import Config, ConfigError, Executor, site, unknown
from gqlstock.rules.limits import Limits, PublicRate, Rate
from gqlstock.rules.providers import Issuer, Sentinels, SmtpServer
from gqlstock.store.db.connection import Postgres, SqliteFile

POSTGRES_FORM = "write postgres://user:password@host:port/name, with several hosts host:port,host:port."
SMTP_FORM = "write smtp://user:password@host:port, smtps:// for TLS from the first byte."
SSL_MODES = "sslmode is one of disable, allow, prefer, require, verify-ca, verify-full."
UNSUBSCRIBE_FORM = "write a URL with {token} in it, such as https://shop.example/unsubscribe?token={token}."


def _sqlite(url: str) -> str:
    database = Config.from_env({"GQLSTOCK_DATABASE_URL": url}).database
    assert isinstance(database, SqliteFile)
    return database.path


def _postgres(url: str) -> dict[str, object]:
    database = Config.from_env({"GQLSTOCK_DATABASE_URL": url}).database
    assert isinstance(database, Postgres)
    return database.credentials


def _redis(url: str) -> str | Sentinels | None:
    return Config.from_env({"GQLSTOCK_REDIS_URL": url}).redis


def test_nothing_set_is_a_file_in_the_working_directory_and_one_process() -> None:
    config = Config.from_env({})

    assert isinstance(config.database, SqliteFile)
    assert config.database.path == "gqlstock.db"
    assert config.redis is None
    assert config.cors_origins == ()
    assert config.public_orders is False


def test_an_empty_value_is_as_unset() -> None:
    config = Config.from_env({"GQLSTOCK_REDIS_URL": " ", "GQLSTOCK_PUBLIC_ORDERS": ""})

    assert config.redis is None
    assert config.public_orders is False


def test_three_slashes_are_relative_and_four_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)

    assert _sqlite("sqlite:///shop.db") == "shop.db"
    assert _sqlite("sqlite:///data/shop.db") == "data/shop.db"
    assert _sqlite(f"sqlite:///{tmp_path}/data/shop.db") == f"{tmp_path}/data/shop.db"


def test_three_slashes_before_a_directory_of_the_root_mean_that_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert _sqlite("sqlite:///etc/shop.db") == "/etc/shop.db"


def test_a_directory_below_the_working_directory_wins_over_one_of_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    monkeypatch.chdir(tmp_path)

    assert _sqlite("sqlite:///etc/shop.db") == "etc/shop.db"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgres_is_taken_under_both_names(scheme: str) -> None:
    assert _postgres(f"{scheme}://shop:secret@db.example:6543/stock") == {
        "host": "db.example",
        "port": 6543,
        "user": "shop",
        "password": "secret",
        "database": "stock",
        "timeout": 10,
    }


def test_postgres_may_have_several_hosts_with_ports_of_their_own() -> None:
    credentials = _postgres("postgres://shop:a,b@a.example:6543,b.example,[::1]:7000/stock?sslmode=require")

    assert credentials["host"] == ["a.example", "b.example", "::1"]
    assert credentials["port"] == [6543, 5432, 7000]
    assert (credentials["user"], credentials["password"]) == ("shop", "a,b")
    assert (credentials["database"], credentials["ssl"]) == ("stock", "require")


def test_a_password_may_be_percent_encoded_and_the_port_left_out() -> None:
    credentials = _postgres("postgres://shop:p%40ss%2Fw%3Ard@localhost/stock")

    assert credentials["password"] == "p@ss/w:rd"
    assert credentials["port"] == 5432


def test_sslmode_and_the_size_of_the_cache_of_statements_are_handed_on() -> None:
    credentials = _postgres("postgres://shop@db.example/stock?sslmode=require&statement_cache_size=0")

    assert (credentials["ssl"], credentials["statement_cache_size"]) == ("require", 0)


def test_sentinels_have_addresses_a_service_and_accounts() -> None:
    assert _redis("redis+sentinel://a.example:26380,b.example/stock") == Sentinels(
        addresses=(("a.example", 26380), ("b.example", 26379)), service="stock"
    )
    assert _redis(
        "rediss+sentinel://shop:p%40ss@[::1]:1,127.0.0.1/stock/3?sentinel_user=s&sentinel_password=s%26cret"
    ) == Sentinels(
        addresses=(("::1", 1), ("127.0.0.1", 26379)),
        service="stock",
        number=3,
        user="shop",
        password="p@ss",
        sentinel_user="s",
        sentinel_password="s&cret",
        tls=True,
    )


@pytest.mark.parametrize(
    "value",
    [
        "redis+sentinel://a:26379",
        "redis+sentinel:///stock",
        "redis+sentinel://a:26379,/stock",
        "redis+sentinel://a:port/stock",
        "redis+sentinel://a/stock/one",
        "redis+sentinel://a/stock/0/1",
        "redis+sentinel://[::1/stock",
    ],
)
def test_wrong_sentinels_are_told_with_what_would_be_right(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _redis(value)

    assert str(caught.value) == (
        f"GQLSTOCK_REDIS_URL is {value!r}: write redis+sentinel://host:26379,host:26379/service/number, "
        "rediss+sentinel:// for TLS."
    )


def test_what_is_not_known_of_sentinels_is_told_without_passwords() -> None:
    with pytest.raises(ConfigError) as caught:
        _redis("redis+sentinel://u:secret@a,b/stock?sentinel_password=secret&db=1")

    assert str(caught.value) == (
        "GQLSTOCK_REDIS_URL is 'redis+sentinel://u:***@a,b/stock?sentinel_password=***&db=1': "
        "db is not known; behind the ? there can be sentinel_user and sentinel_password."
    )
    assert "secret" not in repr(_redis("redis+sentinel://u:secret@a/stock?sentinel_password=secret"))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DATABASE_URL", "mysql://u:pw@h/x", "write sqlite:///path/to.db or postgres://user:password@host:port/name."),
        ("DATABASE_URL", "sqlite://shop.db", "write sqlite:///path/to.db."),
        ("DATABASE_URL", "sqlite:///:memory:", "the database is a file: write sqlite:///path/to.db."),
        ("DATABASE_URL", "sqlite:///no/such/x.db", "there is no directory no/such: make it, or name another."),
        ("DATABASE_URL", "sqlite:////etc", "/etc is a directory: name a file."),
        ("DATABASE_URL", "postgres://u:pw@h", POSTGRES_FORM),
        ("DATABASE_URL", "postgres://u:pw@h:port/x", POSTGRES_FORM),
        ("DATABASE_URL", "postgres://u:pw@h,/x", POSTGRES_FORM),
        ("DATABASE_WAIT_SECONDS", "-1", "write a whole number of seconds, 0 to 3600."),
        (
            "DATABASE_URL",
            "postgres://u@h/x?a=b",
            "a is not known; behind the ? there can be sslmode and statement_cache_size.",
        ),
        ("DATABASE_URL", "postgres://u@h/x?sslmode=on", SSL_MODES),
        ("DATABASE_URL", "postgres://u@h/x?statement_cache_size=-1", "statement_cache_size is a number, 0 to 9999."),
        ("REDIS_URL", "localhost:6379", "write redis://host:port/number, rediss:// for TLS."),
        ("REDIS_URL", "redis://localhost/one", "write redis://host:port/number, rediss:// for TLS."),
        (
            "CORS_ORIGINS",
            "https://shop.example/",
            "write origins such as https://shop.example with commas between, or *.",
        ),
        ("PUBLIC_ORDERS", "yes", "write true or false."),
        ("EXECUTOR", "fast", "write breadth-first or graphql-core."),
        ("WEBHOOK_PRIVATE_ADDRESSES", "1", "write true or false."),
        ("SMTP_URL", "mail.example:25", SMTP_FORM),
        ("SMTP_URL", "http://u:pw@mail.example", SMTP_FORM),
        ("SMTP_URL", "smtp://mail.example/x", SMTP_FORM),
        ("MAIL_FROM", "shop", "write an address such as stock@shop.example."),
        ("MAIL_FROM", "a@shop.example\nBcc: b@shop.example", "write an address such as stock@shop.example."),
        ("UNSUBSCRIBE_URL", "https://shop.example/bye", UNSUBSCRIBE_FORM),
        ("UNSUBSCRIBE_URL", "javascript:{token}", UNSUBSCRIBE_FORM),
        ("NEWS_RETENTION_DAYS", "0", "write a whole number of days, 1 to 3650."),
        ("NEWS_RETENTION_DAYS", "a week", "write a whole number of days, 1 to 3650."),
        ("NEWS_RETENTION_DAYS", "-7", "write a whole number of days, 1 to 3650."),
        ("NEWS_RETENTION_DAYS", "3651", "write a whole number of days, 1 to 3650."),
    ],
)
def test_a_wrong_value_is_told_with_its_name_and_what_would_be_right(name: str, value: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_env({f"GQLSTOCK_{name}": value})

    shown = value.replace(":pw@", ":***@")
    assert str(caught.value) == f"GQLSTOCK_{name} is {shown!r}: {told}"


def test_origins_are_separated_by_commas() -> None:
    config = Config.from_env({"GQLSTOCK_CORS_ORIGINS": "https://shop.example, http://localhost:3000"})

    assert config.cors_origins == ("https://shop.example", "http://localhost:3000")


def test_public_orders_are_switched_on() -> None:
    assert Config.from_env({"GQLSTOCK_PUBLIC_ORDERS": "true"}).public_orders is True


def test_the_ordinary_executor_is_switched_back_to() -> None:
    assert Config.from_env({}).executor is Executor.BREADTH_FIRST
    assert Config.from_env({"GQLSTOCK_EXECUTOR": "graphql-core"}).executor is Executor.GRAPHQL_CORE


def test_news_is_kept_for_a_week_unless_something_else_is_said() -> None:
    assert Config.from_env({}).news_retention == timedelta(days=7)
    assert Config.from_env({"GQLSTOCK_NEWS_RETENTION_DAYS": "30"}).news_retention == timedelta(days=30)


def test_a_missing_client_is_told_by_the_package_that_brings_it() -> None:
    with pytest.raises(ConfigError) as postgres:
        Config.from_env({"GQLSTOCK_DATABASE_URL": "postgres://localhost/x"}, installed=lambda package: False)
    with pytest.raises(ConfigError) as redis:
        Config.from_env({"GQLSTOCK_REDIS_URL": "redis://localhost"}, installed=lambda package: False)

    assert str(postgres.value) == ("GQLSTOCK_DATABASE_URL: PostgreSQL needs asyncpg: pip install 'gqlstock[postgres]'")
    assert str(redis.value) == "GQLSTOCK_REDIS_URL: Redis needs its client: pip install 'gqlstock[redis]'"


def test_without_a_mail_server_mail_goes_to_the_log() -> None:
    config = Config.from_env({})

    assert (config.smtp, config.mail_from, config.admin_emails) == (None, "gqlstock@localhost", ())
    assert (config.unsubscribe_url, config.private_webhooks) == (
        "http://127.0.0.1:8000/unsubscribe?token={token}",
        False,
    )


def test_a_mail_server_has_an_account_and_a_port_or_the_usual_one() -> None:
    given = {
        "GQLSTOCK_MAIL_FROM": "Stock@Shop.example",
        "GQLSTOCK_ADMIN_EMAILS": "a@x.example, b@x.example a@x.example",
    }
    config = Config.from_env({**given, "GQLSTOCK_SMTP_URL": "smtp://us%40er:p%3Aw@mail.example:587"})
    secure = Config.from_env({**given, "GQLSTOCK_SMTP_URL": "smtps://mail.example"})
    plain = Config.from_env({**given, "GQLSTOCK_SMTP_URL": "smtp://mail.example"})

    assert config.smtp == SmtpServer("mail.example", 587, "us@er", "p:w")
    assert secure.smtp == SmtpServer("mail.example", 465, tls=True)
    assert plain.smtp == SmtpServer("mail.example", 25)
    assert config.mail_from == "Stock@shop.example"
    assert config.admin_emails == ("a@x.example", "b@x.example")


def test_a_mail_server_wants_an_address_that_mail_comes_from() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_env({"GQLSTOCK_SMTP_URL": "smtp://mail.example"})

    assert str(caught.value) == (
        "GQLSTOCK_MAIL_FROM is not set: with GQLSTOCK_SMTP_URL mail needs an address that it comes from."
    )


def test_an_administrator_without_an_address_is_told_by_name() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_env({"GQLSTOCK_ADMIN_EMAILS": "a@x.example, boss"})

    assert str(caught.value) == "GQLSTOCK_ADMIN_EMAILS is 'boss': write an address such as stock@shop.example."


def test_limits_are_the_usual_ones_until_they_are_set() -> None:
    usual = Config.from_env({})
    config = Config.from_env(
        {
            "GQLSTOCK_MAX_BODY_BYTES": "2000",
            "GQLSTOCK_MAX_DEPTH": "9",
            "GQLSTOCK_MAX_COMPLEXITY": "700",
            "GQLSTOCK_QUERY_TIMEOUT_SECONDS": "5",
            "GQLSTOCK_PUBLIC_INTROSPECTION": "false",
            "GQLSTOCK_PUBLIC_RATE": "20/second",
        }
    )

    assert (usual.limits, usual.public_rate, usual.persisted) == (Limits(), PublicRate(), None)
    assert config.limits == Limits(
        body_bytes=2_000, depth=9, complexity=700, query_seconds=5, public_introspection=False
    )
    assert config.public_rate == PublicRate(requests=Rate(20, 1), this_machine=True)


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("GQLSTOCK_MAX_DEPTH", "0", "write a whole number, 1 to 100."),
        ("GQLSTOCK_MAX_COMPLEXITY", "-5", "write a whole number, 1 to 1000000000."),
        ("GQLSTOCK_MAX_BODY_BYTES", "1 MB", "write a whole number, 1000 to 100000000."),
        ("GQLSTOCK_QUERY_TIMEOUT_SECONDS", "0.5", "write a whole number, 1 to 3600."),
        (
            "GQLSTOCK_PUBLIC_RATE",
            "600",
            "write a number and one of second, minute, hour, such as 600/minute.",
        ),
        ("GQLSTOCK_PUBLIC_INTROSPECTION", "no", "write true or false."),
        ("GQLSTOCK_PERSISTED_ONLY", "/nowhere.json", "it cannot be read: No such file or directory."),
    ],
)
def test_a_limit_that_is_none_is_told_by_name(name: str, value: str, right: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_env({name: value})

    assert str(caught.value) == f"{name} is {value!r}: {right}"


@pytest.mark.parametrize(
    ("content", "right"),
    [
        ("", "it is not JSON."),
        ("\xff", "it is not JSON."),
        ("[" * 100_000, "it is not JSON."),
        ("[]", "it must be an object of documents by id."),
        ("{}", "it has no documents."),
        ('{"a": 1}', "the value of 'a' is not a document."),
        ('{"a": "{"}', "the document 'a' has an error: Syntax Error: Expected Name, found <EOF>."),
        ('{"operations": [{"id": "a"}]}', "each of its operations must have an id and a body."),
    ],
)
def test_a_file_of_persisted_operations_that_is_none_is_told_in_one_line(
    tmp_path: Path, content: str, right: str
) -> None:
    path = tmp_path / "persisted.json"
    path.write_bytes(content.encode("latin-1"))

    with pytest.raises(ConfigError) as caught:
        Config.from_env({"GQLSTOCK_PERSISTED_ONLY": str(path)})

    assert str(caught.value) == f"GQLSTOCK_PERSISTED_ONLY is {str(path)!r}: {right}"


@pytest.mark.parametrize(
    "content",
    [
        '{"a": "{ viewer { authenticated } }"}',
        '{"format": "apollo-persisted-query-manifest", "version": 1, "operations": '
        '[{"id": "a", "name": "A", "type": "query", "body": "{ viewer { authenticated } }"}]}',
    ],
)
def test_persisted_operations_are_a_map_or_a_manifest(tmp_path: Path, content: str) -> None:
    path = tmp_path / "persisted.json"
    path.write_text(content)

    assert Config.from_env({"GQLSTOCK_PERSISTED_ONLY": str(path)}).persisted == {"a": "{ viewer { authenticated } }"}


JWT = {
    "GQLSTOCK_JWT_ISSUER": "https://login.shop.example/",
    "GQLSTOCK_JWT_AUDIENCE": "gqlstock",
    "GQLSTOCK_JWKS_URL": "https://login.shop.example/jwks.json",
}


def test_an_identity_provider_is_trusted_as_it_is_written() -> None:
    trusted = Issuer("https://login.shop.example/", "gqlstock", "https://login.shop.example/jwks.json")

    assert Config.from_env(JWT).jwt_issuer == trusted
    assert Config.from_env({}).jwt_issuer is None


@pytest.mark.parametrize("missing", JWT)
def test_of_an_identity_provider_all_is_said_or_nothing(missing: str) -> None:
    first = next(name for name in JWT if name != missing)
    told = f"{missing} is not set: with {first} all of {', '.join(JWT)} are needed."

    with pytest.raises(ConfigError) as error:
        Config.from_env(JWT | {missing: ""})

    assert str(error.value) == told


@pytest.mark.parametrize(
    "url", ["login.shop.example", "ftp://login.shop.example/jwks", "https://", "https://a b/", "https://a:x/"]
)
def test_where_keys_are_is_a_url(url: str) -> None:
    right = "write where the provider's keys are, such as https://login.shop.example/jwks.json."

    with pytest.raises(ConfigError) as error:
        Config.from_env(JWT | {"GQLSTOCK_JWKS_URL": url})

    assert str(error.value) == f"GQLSTOCK_JWKS_URL is {url!r}: {right}"


# ── unknown variables


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("GQLSTOCK_REDIS", " Did you mean GQLSTOCK_REDIS_URL?"),
        ("GQLSTOCK_DATBASE_URL", " Did you mean GQLSTOCK_DATABASE_URL?"),
        ("GQLSTOCK_CACHE", " Did you mean GQLSTOCK_CACHE_MB?"),
        ("gqlstock_log_level", " Did you mean GQLSTOCK_LOG_LEVEL?"),
        ("GQLSTOCK_TYPO", ""),
    ],
)
def test_an_unknown_variable_is_warned_of_with_a_similar_name_and_without_its_value(name: str, suggestion: str) -> None:
    assert unknown({name: "secret", "GQLSTOCK_CORS_ORIGINS": "*"}) == [
        f"{name} is unknown and has no effect.{suggestion}"
    ]


def test_variables_of_other_programs_are_not_warned_of() -> None:
    others = ("PATH", "GQLSTOCK_TOKEN", "GQLSTOCK_URL", "GQLSTOCK_TEST_DATABASE_URL", "GQLSTOCK_SERVICE_HOST")

    assert unknown(dict.fromkeys((*others, "GQLSTOCK_PORT", "GQLSTOCK_PORT_8000_TCP"), "x")) == []


# ── where this machine reaches a server


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("192.0.2.7", "http://192.0.2.7:8000"),
    ],
)
def test_a_server_that_listens_everywhere_is_reached_at_this_machine(host: str, address: str) -> None:
    assert site(host, 8000) == address
