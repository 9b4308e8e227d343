"""A schema of corner cases: every nullability of nested lists, unresolvable types, failing fields and asynchronous fields.

Field values are drawn from a seed in the query, so two executors get the same values. Fields whose names start with
``slow`` are asynchronous; a query without them runs synchronously.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from enum import Enum
from typing import Annotated, Any, NewType, Union

import strawberry
from strawberry.permission import BasePermission

from gqlstock.graphql.executor import batch_field

Info = strawberry.Info[Any, Any]
Odd = NewType("Odd", int)


class Broken(Exception):
    pass


def write_odd(value: Any) -> Any:
    if value == 7:
        return None
    if not value % 2:
        raise ValueError(f"{value} is even")
    return value


def read_odd(value: Any) -> Any:
    if not isinstance(value, int) or not value % 2:
        raise ValueError(f"{value!r} is not odd")
    return value


@strawberry.enum
class Color(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = 3


@strawberry.input
class Point:
    x: int
    y: int = 2
    color: Color | None = None


@strawberry.input(one_of=True)
class Choice:
    number: int | None = strawberry.UNSET
    point: Point | None = strawberry.UNSET
    odds: list[Odd] | None = strawberry.UNSET


class Refused(BasePermission):
    message = "not you"

    def has_permission(self, source: Any, info: Any, **kwargs: Any) -> bool:
        return kwargs.get("seed", 0) % 2 == 0


def drawn(seed: int, *plain: Any) -> Any:
    """One of the values, or, less often, null or an invalid value."""
    dice = random.Random(seed)
    return dice.choice([*plain, *plain, *plain, None, Broken(f"drawn {seed}")])


def nested(seed: int, make: Any) -> Any:
    """A list of lists of values that ``make`` returns for a seed, with nulls, failures and non-lists among them."""
    dice = random.Random(seed)

    def one(depth: int) -> Any:
        kind = dice.randrange(14)
        if kind == 0:
            return None
        if kind == 1:
            return Broken(f"nested {seed}")
        if depth == 2:
            return make(dice.randrange(50))
        if kind == 2:
            return 5
        parts = [one(depth + 1) for _ in range(dice.randrange(4))]
        return tuple(parts) if kind == 3 else (part for part in parts) if kind == 4 else parts

    return one(0)


async def slowly(value: Any, turns: int = 1) -> Any:
    for _ in range(turns):
        await asyncio.sleep(0)
    if isinstance(value, Exception):
        raise value
    return value


# ── batch fields


async def owners(parents: Sequence[Any], info: Info, seed: int = 1) -> list[Any]:
    await asyncio.sleep(0)
    if seed == 13:
        raise Broken("no owners")
    if seed == 14:
        return []
    return [Person.of(parent.seed + seed) if (parent.seed + seed) % 5 else Broken("no owner") for parent in parents]


async def paths(parents: Sequence[Any], info: Info) -> list[str]:
    return [f"{parent.seed} {info.field_name}" for parent in parents]


# ── types


@strawberry.interface
class Being:
    seed: strawberry.Private[int]
    id: strawberry.ID
    name: str

    @strawberry.field
    def itself(self) -> "Being":
        return self

    @strawberry.field
    def where(self, info: Info) -> str:
        return "/".join(str(part) for part in info.path.as_list())

    @strawberry.field
    def maybe(self, seed: int = 0) -> "Being | None":
        return being(self.seed + seed)  # type: ignore[no-any-return]

    @strawberry.field
    async def slow(self, seed: int = 0) -> "Being | None":
        return await slowly(being(self.seed + seed), self.seed % 3)  # type: ignore[no-any-return]

    @strawberry.field
    def surely(self, seed: int = 0) -> "Being":
        return being(self.seed + seed)  # type: ignore[no-any-return]

    slow_owner: "Person | None" = batch_field(owners)
    slow_path: str = batch_field(paths)

    @classmethod
    def of(cls, seed: int) -> Any:
        return cls(seed=seed, id=strawberry.ID(str(seed)), name=f"{cls.__name__} {seed}")


@strawberry.type
class Cat(Being):
    @strawberry.field
    def color(self) -> Color | None:
        return drawn(self.seed, Color.RED, Color.BLUE, "green", "purple")  # type: ignore[no-any-return]

    @property
    def _lives(self) -> int:
        return 9


@strawberry.type
class Dog(Being):
    barks: int = 3

    @strawberry.field
    def friends(self) -> "list[Pet]":
        return [being(self.seed + i) for i in range(self.seed % 3)]


@strawberry.type
class Person(Being):
    slow_pets: "list[Being | None]" = batch_field(
        lambda parents, info: slowly([[being(p.seed + i) for i in range(p.seed % 4)] for p in parents])
    )

    @strawberry.field
    async def slow_friend(self) -> "Person":
        return await slowly(drawn(self.seed, Person.of(self.seed + 1)))  # type: ignore[no-any-return]


@strawberry.type
class Stranger:
    """A type that recognizes its own objects, some of them asynchronously."""

    seed: int

    @classmethod
    def is_type_of(cls, obj: Any, info: Any) -> Any:
        return isinstance(obj, Stranger) and obj.seed % 4 != 0


class Row:
    """An object that is no schema type, but can be cast to one."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.id = str(seed)
        self.name = f"row {seed}"
        self.barks = 1


Pet = Annotated[Union[Cat, Dog], strawberry.union("Pet")]  # noqa: UP007
Anything = Annotated[Union[Cat, Dog, Person, Stranger], strawberry.union("Anything")]  # noqa: UP007


def being(seed: int) -> Any:
    return drawn(seed, Cat.of(seed), Dog.of(seed), Person.of(seed), strawberry.cast(Dog, Row(seed)), Row(seed))


def anything(seed: int) -> Any:
    return drawn(seed, Cat.of(seed), Stranger(seed=seed), Row(seed), Query())


@strawberry.type
class Box:
    """An object with attributes of every kind, some of which cannot be read."""

    text: str | None
    number: int
    ratio: float
    truth: bool
    color: Color
    odd: Odd | None
    words: list[str | None]
    inner: "Box | None"

    @property
    def hidden(self) -> str:
        raise Broken("hidden")


@strawberry.type
class Chest(Box):
    hidden: str | None = strawberry.field(name="hidden", default=None)


def box(seed: int) -> Any:
    dice = random.Random(seed)
    return Box(
        text=drawn(seed, "text", 5, 1.5, [], b"bytes"),
        number=drawn(seed + 1, 5, 2**31, "6", True, 2.5),
        ratio=drawn(seed + 2, 1.5, 2, float("inf"), "x"),
        truth=drawn(seed + 3, True, 0, "yes"),
        color=drawn(seed + 4, Color.GREEN, 3, "RED"),
        odd=drawn(seed + 5, 1, 2, 7),
        words=drawn(seed + 6, ["a", None], ("b", 3), {"c": 1}, "d", [Broken("word")]),
        inner=box(seed + 7) if dice.random() < 0.6 else None,
    )


Numbers = list[list[int | None] | None] | None
SHAPES: dict[str, tuple[Any, Any]] = {
    "numbers": (int, lambda seed: drawn(seed, seed, str(seed), "no")),
    "beings": (Being, being),
    "anythings": (Anything, anything),
    "boxes": (Box, box),
    "odds": (Odd, lambda seed: seed),
    "colors": (Color, lambda seed: drawn(seed, Color.RED, 3)),
}


def _shape(of: Any, bits: int) -> Any:
    """The type of a list of lists. Three bits say where null is allowed: for items, for inner lists, for the whole."""
    inner = of | None if bits & 1 else of
    middle = list[inner] | None if bits & 2 else list[inner]
    return list[middle] | None if bits & 4 else list[middle]


def _nested_field(make: Any, kind: Any) -> Any:
    def resolve(seed: int = 1) -> Any:
        return nested(seed, make)

    resolve.__annotations__["return"] = kind
    return strawberry.field(resolver=resolve)


def _slow_nested_field(make: Any, kind: Any) -> Any:
    async def resolve(seed: int = 1) -> Any:
        # Lists with awaitable items.
        return nested(seed, lambda number: slowly(make(number), number % 3))

    resolve.__annotations__["return"] = kind
    return strawberry.field(resolver=resolve)


def _lists() -> dict[str, Any]:
    out = {}
    for name, (of, make) in SHAPES.items():
        for bits in range(8):
            out[f"{name}{bits}"] = _nested_field(make, _shape(of, bits))
            out[f"slow_{name}{bits}"] = _slow_nested_field(make, _shape(of, bits))
    return out


@strawberry.type
class Lists:
    __annotations__ = {}
    vars().update(_lists())


@strawberry.type
class Query:
    @strawberry.field
    def lists(self) -> Lists | None:
        return Lists()

    @strawberry.field
    async def slow_lists(self) -> Lists:
        return await slowly(Lists(), 2)  # type: ignore[no-any-return]

    @strawberry.field
    def being(self, seed: int = 0) -> Being | None:
        return being(seed)  # type: ignore[no-any-return]

    @strawberry.field
    def beings(self, seeds: list[int]) -> list[Being | None]:
        return [being(seed) for seed in seeds]

    @strawberry.field
    def strict(self, seeds: list[int]) -> list[Being]:
        return [being(seed) for seed in seeds]

    @strawberry.field
    def anything(self, seed: int = 0) -> Anything | None:
        return anything(seed)  # type: ignore[no-any-return]

    @strawberry.field
    def stranger(self, seed: int = 1) -> Stranger | None:
        return Stranger(seed=seed)

    @strawberry.field
    def boxes(self, seed: int = 0) -> list[Box | None]:
        return [box(seed + i) for i in range(3)]

    @strawberry.field
    def chest(self, seed: int = 0) -> Chest:
        return box(seed)  # type: ignore[no-any-return]

    @strawberry.field(permission_classes=[Refused])
    def allowed(self, seed: int = 0) -> str | None:
        return f"allowed {seed}"

    @strawberry.field
    def point(self, point: Point, color: Color = Color.GREEN) -> str:
        return f"{point} {color}"

    @strawberry.field
    def choice(self, choice: Choice) -> str | None:
        return f"{choice}"

    @strawberry.field
    def odd(self, value: Odd = Odd(3)) -> Odd:
        return value

    @strawberry.field
    def counted(self) -> list[int]:
        return (number for number in (1, 2, 3))  # type: ignore[return-value]

    @strawberry.field
    def slow_stream(self, seed: int = 0) -> list[int | None]:
        async def numbers() -> AsyncIterator[int]:
            for i in range(seed % 4):
                yield i
            if seed % 5 == 0:
                raise Broken("stream")

        return numbers()  # type: ignore[return-value]

    @strawberry.field
    async def slow_text(self, seed: int = 0) -> str:
        return await slowly(drawn(seed, "text"), seed % 3)  # type: ignore[no-any-return]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def slow_add(self, info: Info, number: int) -> Box | None:
        await asyncio.sleep(0)
        info.context.append(number)
        return box(number)  # type: ignore[no-any-return]

    @strawberry.mutation
    def add(self, info: Info, number: int) -> int:
        info.context.append(number)
        return drawn(number, number)  # type: ignore[no-any-return]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def beings(self, seeds: list[int]) -> AsyncGenerator[Being | None, None]:
        for seed in seeds:
            yield being(seed)

    @strawberry.subscription
    async def strict(self, seeds: list[int]) -> AsyncGenerator[Being, None]:
        for seed in seeds:
            yield being(seed)


class Quiet(strawberry.Schema):
    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        """Do not log errors: most fields here fail on purpose."""


def build(executor: Any) -> strawberry.Schema:
    return Quiet(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Cat, Dog, Person],
        execution_context_class=executor,
        scalar_overrides={Odd: strawberry.scalar(name="Odd", serialize=write_odd, parse_value=read_odd)},
    )
