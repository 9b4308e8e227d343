"""Imports files of other systems: products, counts of levels, categories.

An import first checks the whole file without locks, and refuses it if any row is invalid. It then writes the file in
batches, one transaction each, while orders continue. Rows that became invalid since the check are reported; the others are
written. Importing the same file again finishes an interrupted import.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gqlstock.formats import records
from gqlstock.formats.format import CategoryFormat, Context, CountFormat, Format, Options, ProductFormat
from gqlstock.formats.records import Counted, Product
from gqlstock.rules import counting
from gqlstock.rules.import_report import Kind, Remark, Report
from gqlstock.rules.import_rows import Faults, Files
from gqlstock.rules.refusals import invalid
from gqlstock.rules.scopes import Caller
from gqlstock.services import import_counts, import_reading, import_skus, import_statuses, import_warehouses, reassess
from gqlstock.services.import_categories import CategoryTree
from gqlstock.services.import_check import ProductCheck
from gqlstock.services.import_counts import COUNTS_PER_COMMAND, CountWriter
from gqlstock.services.import_plan import Places
from gqlstock.services.import_products import ProductWriter
from gqlstock.services.import_progress import CHECKED, COUNTED, TAKEN_IN, Progress, silent
from gqlstock.services.import_reading import File
from gqlstock.store.counts import Count
from gqlstock.store.db import clock, sql, transactions
from gqlstock.store.spool import Counts, Products

_VARIANTS_PER_TRANSACTION = 1_000
_PRODUCTS_PER_TRANSACTION = 200

NO_WAREHOUSE = "units without a warehouse: set it with --warehouse"


async def run(
    caller: Caller,
    file_format: Format,
    files: Sequence[File],
    options: Options | None = None,
    *,
    dry: bool = False,
    progress: Progress = silent,
    sink: Callable[[Remark], None] | None = None,
) -> Report:
    """Import files of a format. ``dry``: only check, and report what would be written. ``sink`` receives each remark."""
    options = options or Options()
    report = Report(Files(tuple(file.name for file in files)), sink)
    check_options(options)
    if options.website is not None:
        await import_warehouses.check_website(options.website)
    context = Context(options, Faults(report.files), report, now=clock.now())
    this_run = _Run(caller, files, context, progress, dry)
    if isinstance(file_format, ProductFormat):
        await this_run.products(file_format)
    elif isinstance(file_format, CountFormat):
        await this_run.counts(file_format)
    else:
        await this_run.categories(file_format)
    return report


def check_options(options: Options) -> None:
    """Refuse invalid options."""
    if options.base_url is not None and not options.base_url.startswith(("http://", "https://")):
        raise invalid(f"--base-url {options.base_url!r} must start with https:// or http://.")


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of an import."""

    caller: Caller
    files: Sequence[File]
    context: Context
    progress: Progress
    dry: bool

    @property
    def faults(self) -> Faults:
        return self.context.faults

    @property
    def report(self) -> Report:
        return self.context.report

    async def counts(self, file_format: CountFormat) -> None:
        """Import counts."""
        if self.context.options.warehouse is not None:
            await import_warehouses.named(self.context.options.warehouse)
        with Counts() as spool:
            async for part in import_reading.parts(self.files, file_format.columns, self.context, self.progress):
                counts = [count for row in part for count in file_format.counts(row, self.context)]
                for one, known in spool.put(counts):
                    import_counts.contradiction(one, known.on_hand, known.line, self.faults, file_format.hint)
                if file_format.status is not None:
                    statuses = (file_format.status(row, self.context) for row in part)
                    import_statuses.put([one for one in statuses if one is not None], spool, self.faults)
            self.faults.check()
            places = await import_warehouses.find(
                spool.warehouses(), self.faults, are_made=file_format.makes_warehouses
            )
            foreseen = self.report if self.dry else Report(self.report.files)
            leave_out = file_format.leaves_out_unknown_items
            await import_statuses.check(spool, self.context, foreseen, leave_out_unknown=leave_out)
            await import_counts.check(spool, file_format, places, self.context, foreseen, self.progress)
            if self.dry:
                import_warehouses.foresee(places, self.context.options.website, self.report)
                return
            self.progress(COUNTED, 0, spool.due_count)
            made = await import_warehouses.make(places, self.context.options.website, self.report)
            ids = {before.id: made[name].id for name, before in places.items()}
            faults = await import_statuses.write(spool, self.report)
            faults.merge(await import_counts.write(self.caller, spool, ids, self.report, self.progress))
            self.report.refused = faults.reported

    async def products(self, file_format: ProductFormat) -> None:
        """Import products with their combinations, settings and counts."""
        with Products() as spool:
            named = await self._read_products(file_format, spool)
            places = await self._places(file_format, named)
            await sql.analyze("item", "inventory_level")
            await self._check_products(spool, places)
            if self.dry:
                import_warehouses.foresee(places, self.context.options.website, self.report)
                return
            self.progress(TAKEN_IN, 0, len(spool))
            made = await import_warehouses.make(places, self.context.options.website, self.report)
            await self._write_products(spool, made)

    async def _read_products(self, file_format: ProductFormat, spool: Products) -> dict[str, int]:
        """Spool the records of the files, and refuse files that are invalid in themselves.

        Returns the warehouses they name, each with the first line that names it.
        """
        warehouses: dict[str, int] = {}
        async for part in import_reading.parts(self.files, file_format.columns, self.context, self.progress):
            ties = [(row, file_format.tie(row, self.context)) for row in part]
            spool.put([(row, tie) for row, tie in ties if tie is not None])
        self.context.has_ref = spool.has_ref
        for number, rows in enumerate(spool.products()):
            found = file_format.product(rows, self.context)
            product = records.checked(found, self.faults) if found is not None else None
            if product is not None:
                product = self._placed(product)
                spool.put_skus(product.given_skus())
                if product.slug is not None:
                    spool.put_slug(product.slug, product.line)
                spool.put_record(product)
                for name, line in product.warehouses():
                    warehouses.setdefault(name, line)
            if number % _PRODUCTS_PER_TRANSACTION == 0:
                await asyncio.sleep(0)
        for sku, line, other, before in spool.repeated_skus():
            import_skus.repeated(sku, line, other, before, self.faults)
        self.faults.check()
        return warehouses

    def _placed(self, product: Product) -> Product:
        """The product without counts that lack a warehouse. Reports those."""
        if self.context.options.warehouse is not None:
            return product

        def placed(counts: Sequence[Counted], sku: str | None) -> tuple[Counted, ...]:
            for count in counts:
                if count.warehouse is None and count.on_hand:
                    self.context.not_carried(count.line, NO_WAREHOUSE, sku, counting.counted_of(count.on_hand))
            return tuple(count for count in counts if count.warehouse is not None)

        variants = [replace(one, counts=placed(one.counts, one.sku)) for one in product.variants]
        return replace(product, counts=placed(product.counts, product.wanted_sku), variants=tuple(variants))

    async def _places(self, file_format: ProductFormat, named: Mapping[str, int]) -> Places:
        """The warehouses that the file and the command name. ``named``: those of the file, with their lines."""
        places = await import_warehouses.find(named.items(), self.faults, are_made=file_format.makes_warehouses)
        if self.context.options.warehouse is not None:
            places[None] = await import_warehouses.named(self.context.options.warehouse)
        self.faults.check()
        return places

    async def _check_products(self, spool: Products, places: Places) -> None:
        """Refuse files that contradict the catalog. Takes no locks."""
        check, done = ProductCheck(spool, places, self.faults, self.report if self.dry else None), 0
        for part in _parts(spool):
            await check.check(part)
            done += len(part)
            self.progress(CHECKED, done, len(spool))
            await asyncio.sleep(0)
        for line, sku in spool.clashes():
            import_skus.taken(line, sku, self.faults)
        self.faults.check()
        if self.dry and check.categories.made:
            self.report[Kind.CATEGORIES].made += len(check.categories.made)

    async def _write_products(self, spool: Products, places: Places) -> None:
        writer = ProductWriter(spool, places, self.report)
        counter = CountWriter(self.caller, self.report, import_counts.OF_PRODUCTS)
        items = min(await import_counts.items_per_command(), COUNTS_PER_COMMAND)
        done, total = 0, len(spool)
        for part in _parts(spool):
            written = await writer.write(part)
            counts = [Count(one.line, item_id, places[one.warehouse].id, one.on_hand) for item_id, one in written]
            for some in sql.parts(sorted(counts, key=lambda count: count.item_id), items):
                await counter.write(some)
            done += len(part)
            self.progress(TAKEN_IN, done, total)
        if writer.categories.made:
            self.report[Kind.CATEGORIES].made += len(writer.categories.made)
        counter.faults.merge(writer.faults)
        self.report.refused = counter.faults.reported
        # Changed settings and newly assigned warehouses raise and resolve alerts.
        await reassess.run()

    async def categories(self, file_format: CategoryFormat) -> None:
        """Import categories."""
        paths: dict[tuple[str, ...], None] = {}
        async for part in import_reading.parts(self.files, file_format.columns, self.context, self.progress):
            for row in part:
                record = file_format.category(row, self.context)
                if record is not None:
                    with self.faults.at(record.line):
                        paths[records.category_path(record.path)] = None
        self.faults.check()
        tree = CategoryTree()
        if not self.dry:
            self.progress(TAKEN_IN, 0, len(paths))
        for path in paths:
            if self.dry:
                await tree.find(path)
            else:
                await transactions.run(lambda path=path: tree.make(path))  # type: ignore[misc]
        self.report[Kind.CATEGORIES].made += len(tree.made)


def _parts(spool: Products) -> Iterator[list[Product]]:
    """The products in batches, one for each transaction."""
    part: list[Product] = []
    variants = 0
    for product in spool.records():
        part.append(product)
        variants += max(len(product.variants), 1)
        if variants >= _VARIANTS_PER_TRANSACTION or len(part) >= _PRODUCTS_PER_TRANSACTION:
            yield part
            part, variants = [], 0
    if part:
        yield part
