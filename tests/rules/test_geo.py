import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlstock.rules import geo
from gqlstock.rules.geo import Point
from gqlstock.rules.refusals import Code, Refusal, Refused

BERLIN = Point(52.52, 13.405)
PARIS = Point(48.8566, 2.3522)

PLACES = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("one", "other", "kilometres"),
    [
        pytest.param(BERLIN, PARIS, 877.46, id="berlin-to-paris"),
        pytest.param(BERLIN, Point(40.7128, -74.006), 6385.0, id="berlin-to-new-york"),
        pytest.param(Point(0, 179), Point(0, -179), 222.39, id="the-short-way-over-the-date-line"),
        pytest.param(Point(90, 0), Point(-90, 0), 20015.09, id="pole-to-pole"),
        pytest.param(Point(90, 10), Point(90, -170), 0, id="a-pole-is-one-place"),
        pytest.param(BERLIN, BERLIN, 0, id="no-way-at-all"),
    ],
)
def test_the_distance_is_that_of_the_great_circle(one, other, kilometres):
    assert geo.distance(one, other) == pytest.approx(kilometres, abs=0.01)


@given(PLACES, PLACES)
def test_there_is_as_far_as_back_and_never_more_than_half_around(one, other):
    there, back = geo.distance(one, other), geo.distance(other, one)

    assert there == pytest.approx(back, abs=1e-6)
    assert 0 <= there <= 20015.1


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        pytest.param(52.52, 13.405, id="berlin"),
        pytest.param(90, 180, id="the-north-pole"),
        pytest.param(-90, -180, id="the-south-pole"),
    ],
)
def test_a_place_on_earth_is_taken(latitude, longitude):
    assert geo.point(latitude, longitude) == Point(latitude, longitude)


@pytest.mark.parametrize(
    ("latitude", "longitude", "refusal"),
    [
        pytest.param(
            90.1,
            0,
            Refusal(Code.INVALID_INPUT, "The latitude must be -90 to 90 degrees, not 90.1.", ("shipTo", "latitude")),
            id="north-of-the-pole",
        ),
        pytest.param(
            -90.1,
            0,
            Refusal(Code.INVALID_INPUT, "The latitude must be -90 to 90 degrees, not -90.1.", ("shipTo", "latitude")),
            id="south-of-the-pole",
        ),
        pytest.param(
            0,
            180.5,
            Refusal(
                Code.INVALID_INPUT, "The longitude must be -180 to 180 degrees, not 180.5.", ("shipTo", "longitude")
            ),
            id="too-far-east",
        ),
        pytest.param(
            0,
            -181,
            Refusal(
                Code.INVALID_INPUT, "The longitude must be -180 to 180 degrees, not -181.", ("shipTo", "longitude")
            ),
            id="too-far-west",
        ),
        pytest.param(
            float("nan"),
            0,
            Refusal(Code.INVALID_INPUT, "The latitude must be -90 to 90 degrees, not nan.", ("shipTo", "latitude")),
            id="nowhere",
        ),
    ],
)
def test_a_place_off_the_earth_is_invalid(latitude, longitude, refusal):
    with pytest.raises(Refused) as refused:
        geo.point(latitude, longitude, "shipTo")

    assert refused.value.refusals == (refusal,)
