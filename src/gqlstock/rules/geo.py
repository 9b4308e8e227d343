"""Points on the earth and the distance between them."""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from gqlstock.rules.refusals import invalid

_EARTH_RADIUS_KM = 6_371.0


@dataclass(frozen=True, slots=True)
class Point:
    """A point in degrees: latitude -90 to 90, longitude -180 to 180."""

    latitude: float
    longitude: float


def point(latitude: float, longitude: float, *path: str | int) -> Point:
    if not -90 <= latitude <= 90:
        raise invalid(f"The latitude must be -90 to 90 degrees, not {latitude}.", *path, "latitude")
    if not -180 <= longitude <= 180:
        raise invalid(f"The longitude must be -180 to 180 degrees, not {longitude}.", *path, "longitude")
    return Point(latitude, longitude)


def point_or_none(latitude: float | None, longitude: float | None) -> Point | None:
    """A stored point, unchecked; None if a coordinate is missing."""
    return Point(latitude, longitude) if latitude is not None and longitude is not None else None


def distance(one: Point, other: Point) -> float:
    """Kilometres along the great circle (haversine)."""
    lat1, lat2 = radians(one.latitude), radians(other.latitude)
    half = sin((lat2 - lat1) / 2) ** 2
    half += cos(lat1) * cos(lat2) * sin(radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * asin(min(1.0, sqrt(half)))
