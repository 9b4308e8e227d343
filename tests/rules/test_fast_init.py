"""A frozen dataclass with a fast constructor is what it was without."""

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, fields, replace
from typing import Any

import pytest

from gqlstock.rules.availability import Assessment, Sellable
from gqlstock.rules.catalog import Item
from gqlstock.rules.fast_init import fast_init
from gqlstock.rules.ledger import Level
from gqlstock.rules.sourcing import Source, Stock


@dataclass(frozen=True, slots=True)
class Plain:
    """A parcel."""

    name: str
    weight: int = 1
    tags: tuple[str, ...] = ()

    @property
    def heavy(self) -> bool:
        return self.weight > 10


@fast_init
@dataclass(frozen=True, slots=True)
class Fast:
    """A parcel."""

    name: str
    weight: int = 1
    tags: tuple[str, ...] = ()

    @property
    def heavy(self) -> bool:
        return self.weight > 10


@pytest.mark.parametrize(
    ("given", "named"), [(("a",), {}), (("a", 12), {}), (("a",), {"tags": ("x",)}), ((), {"name": "a", "weight": 3})]
)
def test_it_takes_the_same_arguments(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    assert asdict(Fast(*given, **named)) == asdict(Plain(*given, **named))


@pytest.mark.parametrize(
    ("given", "named"), [((), {}), (("a", 1, (), 2), {}), (("a",), {"size": 1}), (("a",), {"name": "b"})]
)
def test_it_refuses_the_same_arguments(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    for kind in (Plain, Fast):
        with pytest.raises(TypeError):
            kind(*given, **named)


def test_it_is_frozen_equal_hashable_and_can_be_copied() -> None:
    parcel = Fast("a", 12)

    assert type(parcel) is Fast
    assert parcel.heavy
    assert parcel == Fast("a", weight=12)
    assert parcel != Fast("a")
    assert hash(parcel) == hash(Fast("a", 12))
    assert replace(parcel, weight=2) == Fast("a", 2)
    assert copy.deepcopy(parcel) == parcel
    assert pickle.loads(pickle.dumps(parcel)) == parcel
    assert repr(parcel) == "Fast(name='a', weight=12, tags=())"
    for name in ("weight", "colour"):
        with pytest.raises((FrozenInstanceError, TypeError)):
            setattr(parcel, name, 3)


def test_its_signature_is_the_same() -> None:
    assert inspect.signature(Fast) == inspect.signature(Plain)
    assert Fast.__doc__ == Plain.__doc__


@pytest.mark.parametrize("kind", [Item, Level, Source, Sellable, Stock, Assessment])
def test_records_are_frozen(kind: Any) -> None:
    made = kind(*range(len(fields(kind))))

    assert type(made) is kind
    assert [getattr(made, field.name) for field in fields(kind)] == list(range(len(fields(kind))))
    with pytest.raises(FrozenInstanceError):
        setattr(made, fields(kind)[0].name, 1)
