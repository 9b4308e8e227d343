"""JSON Lines: one object a line, whatever is in its texts."""

import json

from gqlstock.formats import json_lines


def test_each_object_is_a_line() -> None:
    assert json_lines.encoded([{"a": 1}, {"b": "x\ny"}]) == b'{"a":1}\n{"b":"x\\ny"}\n'


def test_half_of_a_surrogate_pair_stops_no_file() -> None:
    (line,) = json_lines.encoded([{"a": "\ud800"}]).splitlines()

    assert json.loads(line) == {"a": "\ud800"}
