"""Generated shops, written in the format of another system, imported, and compared with what the API returns.

A format declares what it can express (``Abilities``) and writes a shop as the lines of its file. The rest is here.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from gqlstock.app import create_app
from gqlstock.config import Config
from gqlstock.formats import records
from gqlstock.formats.records import Counted, Identity, Product, Variant
from gqlstock.rules import catalog as rules
from gqlstock.rules import quantities
from gqlstock.rules import settings as setting_rules
from gqlstock.rules.catalog import Image, InventoryStatus, InventoryTracking, Option, OptionValue
from gqlstock.services import verification
from support import importing
from support import shop_builders as make
from support.graphql_client import Client

Shop = Sequence[Product]
Write = Callable[[Shop], list[str]]
WriteFiles = Callable[[Shop], Sequence[list[str]]]

HERE = "HERE"
"""The warehouse named by the import command."""

# Separators, quotes, line breaks, letters of other scripts, and formula characters that are not leading.
_LETTERS = "aBcX 1,;|\"'\n=+-éß€日/\\"
texts = (
    st.text(_LETTERS, min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda text: any(c.isalnum() for c in text) and text[0] not in "'=+-@")
)
_slugs = st.text("abc12", min_size=1, max_size=6)
_skus = st.text("aBC1-./ ", min_size=1, max_size=6).map(str.strip).filter(bool)
_images = st.lists(st.builds(Image, st.sampled_from([f"https://x/{n}.jpg" for n in range(9)]), st.none() | texts))


def _as_it_is(product: Product) -> Product:
    return product


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a format can express. ``settings``: the settings of products and combinations, by name.

    ``texts``: for names, descriptions, options and categories; ``places``: the warehouses that the file names.
    """

    identity: Identity = Identity.SLUG
    max_options: int = 3
    display_options: bool = False
    category_depth: int = 1
    images: bool = True
    variant_images: int = 1
    """The number of pictures of a combination, without alt texts."""
    barcodes: bool = True
    codes: bool = False
    unpublished: bool = True
    statuses: bool = False
    counts: bool = True
    places: tuple[str, ...] = ()
    parts_of_units: bool = False
    settings: Mapping[str, SearchStrategy[Any]] = field(default_factory=dict)
    parent_settings: bool = False
    """Whether products with combinations also have settings."""
    variant_settings: Mapping[str, SearchStrategy[Any]] = field(default_factory=dict)
    texts: SearchStrategy[str] = texts
    adapted: Callable[[Product], Product] = _as_it_is
    """Turns any product into one that the format can express."""
    option_names: SearchStrategy[str] | None = None
    """The names of options, if not ``texts``."""


def shops(can: Abilities) -> SearchStrategy[Shop]:
    """Shops with a few products, whose SKUs differ in more than case. Any SKU may be missing."""
    found = st.lists(_products(can), min_size=1, max_size=4, unique_by=lambda product: product.slug)
    return found.map(_distinct).map(lambda shop: [can.adapted(product) for product in shop])


@st.composite
def _products(draw: Any, can: Abilities) -> Product:
    slug = draw(_slugs)
    choices = draw(_choices(can))
    variants = tuple(draw(_variants(can, choice)) for choice in choices)
    options = records.options_of(variants)
    if can.display_options:
        names = {option.name for option in options}
        options += tuple(one for one in draw(st.lists(_display_options(can), max_size=1)) if one.name not in names)
    return Product(
        line=0,
        identity=can.identity,
        sku_stem=slug,
        slug=slug,
        sku=draw(st.none() | _skus),
        name=draw(can.texts),
        description=draw(st.none() | can.texts),
        barcode=draw(st.none() | st.just("4006381333931")) if can.barcodes and not variants else None,
        category=tuple(draw(st.lists(can.texts, max_size=can.category_depth))),
        published=draw(st.booleans()) if can.unpublished else True,
        inventory_status=draw(st.sampled_from(InventoryStatus)) if can.statuses else None,
        images=_distinct_images(draw(_images)) if can.images else (),
        options=options,
        tracking=InventoryTracking.TRACK_WITH_OPTIONS if variants else InventoryTracking.TRACK_WITHOUT_OPTIONS,
        settings=draw(_said(can.settings)) if can.parent_settings or not variants else {},
        counts=() if variants else draw(_counts(can)),
        variants=variants,
    )


@st.composite
def _choices(draw: Any, can: Abilities) -> list[tuple[tuple[str, str], ...]]:
    """The choices of a product's combinations; none for a product without options."""
    of = can.texts if can.option_names is None else can.option_names
    names = draw(st.lists(of, max_size=can.max_options, unique=True))
    if not names:
        return []
    values = [draw(st.lists(can.texts, min_size=1, max_size=3, unique=True)) for _ in names]
    one = st.tuples(*(st.sampled_from(of) for of in values))
    return [
        tuple(zip(names, chosen, strict=True)) for chosen in draw(st.lists(one, min_size=1, max_size=4, unique=True))
    ]


@st.composite
def _variants(draw: Any, can: Abilities, choice: tuple[tuple[str, str], ...]) -> Variant:
    return Variant(
        line=0,
        choice=choice,
        sku=draw(st.none() | _skus),
        code=draw(st.none() | can.texts) if can.codes else None,
        barcode=draw(st.none() | st.just("401")) if can.barcodes else None,
        images=tuple(Image(image.url) for image in _distinct_images(draw(_images))[: can.variant_images]),
        settings=draw(_said(can.variant_settings)),
        counts=draw(_counts(can)),
    )


def _display_options(can: Abilities) -> SearchStrategy[Option]:
    values = st.lists(can.texts.map(OptionValue), min_size=1, max_size=3, unique=True).map(tuple)
    return st.builds(Option, can.texts, values, st.just(value=False))


def _said(of: Mapping[str, SearchStrategy[Any]]) -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict(of))


def _counts(can: Abilities) -> SearchStrategy[tuple[Counted, ...]]:
    units = st.decimals(0, 99, places=2) if can.parts_of_units else st.integers(0, 99).map(Decimal)
    place = st.sampled_from(can.places) if can.places else st.none()
    counts = st.builds(Counted, st.just(0), units.map(quantities.check), place)
    most = max(len(can.places), 1) if can.counts else 0
    return st.lists(counts, max_size=most, unique_by=lambda count: count.warehouse).map(tuple)


def _distinct_images(found: Sequence[Image]) -> tuple[Image, ...]:
    return tuple({image.url: image for image in reversed(found)}.values())


def _distinct(shop: Shop) -> Shop:
    """A shop with distinct SKUs, given and generated. Of equal ones, all but the first are removed."""
    seen: set[str] = {product.sku_stem for product in shop}

    def free(sku: str | None) -> str | None:
        if sku is None or sku.casefold() in seen:
            return None
        seen.add(sku.casefold())
        return sku

    return [
        replace(
            product,
            sku=None if product.variants else free(product.sku),
            variants=tuple(replace(one, sku=free(one.sku)) for one in product.variants),
        )
        for product in shop
    ]


def expected(shop: Shop) -> dict[str, Any]:
    """A shop in the form of ``asked``, by slug. Generated SKUs are None."""
    return {product.slug or "": _expected(product) for product in shop}


def _expected(product: Product) -> dict[str, Any]:
    return {
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "barcode": product.barcode,
        "category": list(product.category),
        "published": product.published,
        "inventoryStatus": product.inventory_status or InventoryStatus.IN_STOCK,
        "tracking": product.tracking,
        "images": rules.stored_images(product.images),
        "options": [
            {"name": option.name, "inventory": option.inventory, "values": [value.name for value in option.values]}
            for option in product.options
        ],
        "settings": _values(product.settings),
        "levels": _levels(product.counts),
        "combinations": sorted((_expected_combination(one, product) for one in product.variants), key=_by_choice),
    }


def _expected_combination(variant: Variant, product: Product) -> dict[str, Any]:
    return {
        "sku": variant.sku,
        "code": variant.code,
        "barcode": variant.barcode,
        "images": rules.stored_images(variant.images or product.images),
        "choice": dict(variant.choice),
        "settings": _values(variant.settings),
        "levels": _levels(variant.counts),
    }


def _by_choice(combination: Mapping[str, Any]) -> str:
    return repr(sorted(combination["choice"].items()))


def _levels(counts: Sequence[Counted]) -> dict[str, Any]:
    return {count.warehouse or HERE: quantities.wire(count.on_hand) for count in counts}


def _values(said: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value.value if isinstance(value, records.AnyOf) else value for name, value in said.items()}
    return {
        setting_rules.camel(name): setting_rules.wire(value)
        for name, value in values.items()
        if value is not records.UNSET
    }


_ITEM = """sku barcode code images { url alt } settingOrigins { setting scope value }
    inventoryLevels(first: 20) { nodes { warehouse { code } onHand } }"""
_ASK = f"""{{ products(first: 20) {{ nodes {{
    {_ITEM} slug name description published inventoryStatus tracking
    category {{ name parent {{ name parent {{ name parent {{ name }} }} }} }}
    options {{ name inventory values {{ name }} }}
    combinations(first: 50) {{ nodes {{ {_ITEM} selectedOptions {{ name value }} }} }}
}} }} }}"""


async def asked(client: Client, shop: Shop) -> dict[str, Any]:
    """The products from the API, by slug. SKUs and codes that ``shop`` does not give are None."""
    data = await client.admin(_ASK)
    given = {product.slug: product for product in shop}
    return {found["slug"]: _asked(found, given.get(found["slug"])) for found in data["products"]["nodes"]}


def _asked(found: Mapping[str, Any], given: Product | None) -> dict[str, Any]:
    # PostgreSQL does not preserve the order of a choice's options.
    variants = {frozenset(one.choice): one for one in given.variants} if given else {}
    path, category = [], found["category"]
    while category:
        path, category = [category["name"], *path], category.get("parent")
    combinations = []
    for one in found["combinations"]["nodes"]:
        choice = {chosen["name"]: chosen["value"] for chosen in one["selectedOptions"]}
        known = variants.get(frozenset(choice.items()))
        item = _item(one, "COMBINATION", known.sku if known else None)
        code = one["code"] if known and known.code else None
        combinations.append({**item, "code": code, "choice": choice})
    kept = ("name", "description", "published", "inventoryStatus", "tracking")
    return {
        **_item(found, "PRODUCT", given.sku if given else None),
        **{name: found[name] for name in kept},
        "category": path,
        "options": [{**option, "values": [value["name"] for value in option["values"]]} for option in found["options"]],
        "combinations": sorted(combinations, key=_by_choice),
    }


def _item(found: Mapping[str, Any], scope: str, given_sku: str | None) -> dict[str, Any]:
    return {
        "sku": found["sku"] if given_sku is not None else None,
        "barcode": found["barcode"],
        "images": found["images"],
        "settings": {one["setting"]: one["value"] for one in found["settingOrigins"] if one["scope"] == scope},
        "levels": {level["warehouse"]["code"]: level["onHand"] for level in found["inventoryLevels"]["nodes"]},
    }


async def check_round_trips(
    new_database: Any,
    name: str,
    can: Abilities,
    write: Write,
    examples: int = 25,
    then: Mapping[str, WriteFiles] | None = None,
    **options: Any,
) -> None:
    """Check that importing any shop in a format yields that shop, and that a second import changes nothing.

    ``then``: the formats to import afterwards, with their files.
    """
    loop = asyncio.get_running_loop()

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(shops(can))
    def judge(shop: Shop) -> None:
        steps = [(name, [write(shop)]), *((of, files(shop)) for of, files in (then or {}).items())]
        trip = _round_trip(new_database, steps, shop, {"warehouse": HERE, **options})
        asyncio.run_coroutine_threadsafe(trip, loop).result()

    await asyncio.to_thread(judge)


async def _round_trip(
    new_database: Any, steps: Sequence[tuple[str, Sequence[list[str]]]], shop: Shop, options: Mapping[str, Any]
) -> None:
    async with new_database() as env:
        await make.warehouse(HERE)
        app = create_app(Config.from_env({**os.environ, **env}))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gqlstock") as http:
            client = Client(http)
            for name, files in steps:
                foretold = await importing.run(name, *files, dry=True, **options)
                done = await importing.run(name, *files, **options)
                _check_same(importing.figures(foretold), importing.figures(done))
            _check_same(await asked(client, shop), expected(shop))
            for name, files in steps:
                _check_same(importing.figures(await importing.run(name, *files, **options)), {})
            _check_same(await asked(client, shop), expected(shop))
        assert await verification.verify() == []


def _check_same(found: object, wanted: object) -> None:
    assert found == wanted, f"\n{found} is not\n{wanted}"
