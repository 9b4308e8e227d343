"""schemathesis checks: each response is JSON with an expected status, and each error has a code other than INTERNAL."""

import schemathesis
from hypothesis import strategies
from schemathesis import graphql

numbers = strategies.integers(-5, 10**12) | strategies.floats(-1e12, 1e12, allow_nan=False)
graphql.scalar("Quantity", numbers.map(graphql.nodes.Float) | strategies.text().map(graphql.nodes.String))
moments = strategies.datetimes(timezones=strategies.timezones()).map(lambda moment: moment.isoformat())
graphql.scalar("DateTime", (moments | strategies.text()).map(graphql.nodes.String))
graphql.scalar("JSON", strategies.text().map(graphql.nodes.String))


@schemathesis.check
def every_error_has_a_code(ctx, response, case):
    answer = response.json()
    for error in answer.get("errors") or ():
        code = (error.get("extensions") or {}).get("code")
        assert code, f"error without a code: {error}"
        assert code != "INTERNAL", f"internal error: {error}"


@schemathesis.check
def the_status_conforms_to_graphql_over_http(ctx, response, case):
    assert response.status_code in (200, 400, 401, 403, 404, 405, 406, 413, 415), response.status_code
