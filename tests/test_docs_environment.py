"""The one table of the environment has every name that is read, and its defaults are those of the code."""

import re
from dataclasses import replace
from pathlib import Path

from gqlstock import config

PAGE = (Path(__file__).parent.parent / "docs" / "reference.md").read_text()
ROWS = {
    name: default
    for names, default in re.findall(r"^\| (`GQLSTOCK_[^|]*) \| ([^|]+) \|", PAGE, re.MULTILINE)
    for name in re.findall(r"GQLSTOCK_\w+", names)
}
READ = {value for value in vars(config).values() if isinstance(value, str) and value.startswith("GQLSTOCK_")}


def test_the_table_has_each_name_that_is_read_and_no_other() -> None:
    assert len(READ) > 10
    assert set(ROWS) == READ


def test_the_defaults_that_are_told_are_those_of_the_code() -> None:
    told = {
        name: default.strip("`") for name, default in ROWS.items() if default.startswith("`") and " " not in default
    }

    assert told["GQLSTOCK_GRACE_SECONDS"] == "10"
    plain = config.Config.from_env({})
    assert replace(config.Config.from_env(told), database=plain.database) == plain
