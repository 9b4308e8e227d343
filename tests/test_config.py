"""What the environment may say, and how it is told what is wrong."""

from datetime import timedelta
from pathlib import Path

import pytest

from gqlstock.config import Config, ConfigError
from gqlstock.store.database import Postgres, SqliteFile


def _sqlite(url: str) -> str:
    database = Config.from_env({"GQLSTOCK_DATABASE_URL": url}).database
    assert isinstance(database, SqliteFile)
    return database.path


def _postgres(url: str) -> dict[str, object]:
    database = Config.from_env({"GQLSTOCK_DATABASE_URL": url}).database
    assert isinstance(database, Postgres)
    return database.credentials


def test_nothing_set_is_a_file_in_the_working_directory_and_one_process() -> None:
    config = Config.from_env({})

    assert isinstance(config.database, SqliteFile)
    assert config.database.path == "gqlstock.db"
    assert config.redis_url is None
    assert config.cors_origins == ()
    assert config.public_orders is False


def test_an_empty_value_is_as_unset() -> None:
    config = Config.from_env({"GQLSTOCK_REDIS_URL": " ", "GQLSTOCK_PUBLIC_ORDERS": ""})

    assert config.redis_url is None
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


def test_a_password_may_be_percent_encoded_and_the_port_left_out() -> None:
    credentials = _postgres("postgres://shop:p%40ss%2Fw%3Ard@localhost/stock")

    assert credentials["password"] == "p@ss/w:rd"
    assert credentials["port"] == 5432


def test_sslmode_is_handed_on() -> None:
    assert _postgres("postgres://shop@db.example/stock?sslmode=require")["ssl"] == "require"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DATABASE_URL", "mysql://u:pw@h/x", "write sqlite:///path/to.db or postgres://user:password@host:port/name."),
        ("DATABASE_URL", "sqlite://shop.db", "write sqlite:///path/to.db."),
        ("DATABASE_URL", "sqlite:///:memory:", "the database is a file: write sqlite:///path/to.db."),
        ("DATABASE_URL", "sqlite:///no/such/x.db", "there is no directory no/such: make it, or name another."),
        ("DATABASE_URL", "sqlite:////etc", "/etc is a directory: name a file."),
        ("DATABASE_URL", "postgres://u:pw@h", "write postgres://user:password@host:port/name."),
        ("DATABASE_URL", "postgres://u:pw@h:port/x", "write postgres://user:password@host:port/name."),
        ("DATABASE_URL", "postgres://u@h/x?a=b", "a is not known; behind the ? there can be sslmode."),
        ("REDIS_URL", "localhost:6379", "write redis://host:port/number, rediss:// for TLS."),
        ("REDIS_URL", "redis://localhost/one", "write redis://host:port/number, rediss:// for TLS."),
        (
            "CORS_ORIGINS",
            "https://shop.example/",
            "write origins such as https://shop.example with commas between, or *.",
        ),
        ("PUBLIC_ORDERS", "yes", "write true or false."),
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
    assert str(caught.value) == f"GQLSTOCK_{name} is '{shown}': {told}"


def test_origins_are_separated_by_commas() -> None:
    config = Config.from_env({"GQLSTOCK_CORS_ORIGINS": "https://shop.example, http://localhost:3000"})

    assert config.cors_origins == ("https://shop.example", "http://localhost:3000")


def test_public_orders_are_switched_on() -> None:
    assert Config.from_env({"GQLSTOCK_PUBLIC_ORDERS": "true"}).public_orders is True


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
