"""Fails where the source breaks a rule of docs/architecture.md that import-linter cannot say.

Run from the top of the project, or with the folder that holds the package ``gqlstock``.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = "gqlstock"
MOST_LINES = 350
STOCK_RECORDS = ("Level", "StockMovement")
STOCK_TABLES = ("inventory_level", "stock_movement")
LEDGER = f"{PACKAGE}.stock.ledger"
TRANSACTION = f"{PACKAGE}.stock.transaction"
STORE = f"{PACKAGE}.store"
SCHEMA = f"{PACKAGE}.graphql.schema"
MIGRATIONS = f"{STORE}.db.migrations"
# Levels that have nothing go out of use with their item, in the transaction that deletes it.
LEVELS_RETIRED_BY = {f"{PACKAGE}.services.delete_items"}


@dataclass(slots=True)
class Module:
    """A module, with what it imports and which names of other modules it uses."""

    name: str
    path: Path
    tree: ast.Module
    lines: int
    imports: set[str] = field(default_factory=set)
    """The modules that it imports, those for type checking included."""
    for_types: set[str] = field(default_factory=set)
    """Those of them that it imports for type checking alone."""
    uses: dict[tuple[str, str], int] = field(default_factory=dict)
    """Module and name of what it uses, with the line."""


def modules(source: Path) -> dict[str, Module]:
    """Every module of the package, with the names that it uses resolved."""
    found = {}
    for path in sorted((source / PACKAGE).rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text("utf-8")
        found[name] = Module(name, path, ast.parse(text), text.count("\n"))
    for module in found.values():
        _resolve(module, found)
    return found


def _resolve(module: Module, known: Mapping[str, Module]) -> None:
    local: dict[str, str] = {}
    """The modules that names of this one stand for."""
    for node, only_types in _imports(module.tree):
        if isinstance(node, ast.Import):
            targets = {alias.asname or alias.name: alias.name for alias in node.names if alias.name in known}
        else:
            targets = {}
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in known:
                    targets[alias.asname or alias.name] = whole
                elif node.module in known:
                    module.uses[node.module, alias.name] = node.lineno
                    targets[""] = node.module
        for as_name, target in targets.items():
            local[as_name] = target
            module.imports.add(target)
            if only_types:
                module.for_types.add(target)
    for attribute in ast.walk(module.tree):
        if isinstance(attribute, ast.Attribute) and isinstance(attribute.value, ast.Name):
            of = local.get(attribute.value.id)
            if of is not None:
                module.uses.setdefault((of, attribute.attr), attribute.lineno)


def _imports(tree: ast.Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import, and whether it is for type checking alone."""
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, id(node) in guarded


def problems(source: Path) -> list[str]:
    """What breaks a rule, one line each."""
    known = modules(source)
    return [
        *_long_files(known),
        *_cycles(known),
        *_tables_above_store(known),
        *_stock_writers(known),
        *_stock_transactions(known),
    ]


def _long_files(known: Mapping[str, Module]) -> Iterator[str]:
    for module in known.values():
        if module.lines > MOST_LINES and not module.name.startswith(MIGRATIONS):
            yield f"{module.path}: {module.lines} lines, at most {MOST_LINES}"


def _cycles(known: Mapping[str, Module]) -> Iterator[str]:
    """GraphQL types refer to each other: there, and only there, imports for type checking do not count."""
    edges = {
        module.name: {
            target
            for target in module.imports - {module.name}
            if not (target in module.for_types and _is_in(module.name, SCHEMA) and _is_in(target, SCHEMA))
        }
        for module in known.values()
    }
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        yield f"import cycle: {' <- '.join(error.args[1])}"


def _tables_above_store(known: Mapping[str, Module]) -> Iterator[str]:
    tables = {
        (module.name, name)
        for module in known.values()
        if _is_in(module.name, STORE) and not _is_in(module.name, MIGRATIONS)
        for name in _tables(module.tree)
    }
    for module in known.values():
        if not _is_in(module.name, STORE):
            for use in tables & module.uses.keys():
                yield f"{module.path}:{module.uses[use]}: the table {'.'.join(use)} is used above the store"


def _tables(tree: ast.Module) -> set[str]:
    """The Tortoise models of a module: those that have a table, and those that other models are built on."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base) for base in node.bases}
            inner = {one.name for one in node.body if isinstance(one, ast.ClassDef)}
            if "Model" in bases or ("Meta" in inner and bases):
                found.add(node.name)
    return found


def _stock_writers(known: Mapping[str, Module]) -> Iterator[str]:
    """Functions of the store that write levels or movements are called by the ledger alone."""
    writers = {
        (module.name, function.name)
        for module in known.values()
        if _is_in(module.name, STORE) and not _is_in(module.name, MIGRATIONS)
        for function in module.tree.body
        if isinstance(function, ast.AsyncFunctionDef) and _writes_stock(function, module.tree)
    }
    for module in known.values():
        for use in writers & module.uses.keys():
            if module.name != LEDGER:
                yield f"{module.path}:{module.uses[use]}: {'.'.join(use)} writes stock; only {LEDGER} may call it"
        if not _is_in(module.name, STORE):
            for line in _records_written(module.tree):
                yield f"{module.path}:{line}: records of stock are written; only {LEDGER} may have that done"


def _records_written(tree: ast.Module) -> Iterator[int]:
    """The lines where records of levels or movements go to the store's general ``insert`` or ``update``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            kind = node.args[0]
            if node.func.attr in ("insert", "update") and isinstance(kind, ast.Name) and kind.id in STOCK_RECORDS:
                yield node.lineno


def _writes_stock(function: ast.AsyncFunctionDef, tree: ast.Module) -> bool:
    """Whether a function has, or names, a statement that changes levels or movements, or the table of one to insert into."""
    constants = {
        target.id: ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    text = ast.unparse(function)
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    text += " ".join(constants[name] for name in names & constants.keys())
    return any(
        f"{verb} {table}" in text for table in STOCK_TABLES for verb in ("UPDATE", "INSERT INTO", "DELETE FROM")
    ) or any(
        f"{verb}({model}," in text for model in ("InventoryLevel", "StockMovement") for verb in ("insert", "update")
    )


def _stock_transactions(known: Mapping[str, Module]) -> Iterator[str]:
    """Levels and movements are written in transactions of the engine."""
    for module in known.values():
        for (of, name), line in module.uses.items():
            if of != LEDGER or module.name == TRANSACTION:
                continue
            if name != "retire" or module.name not in LEVELS_RETIRED_BY:
                yield f"{module.path}:{line}: {of}.{name} changes stock outside {TRANSACTION}"


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def main() -> int:
    source = Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    found = problems(source)
    for problem in found:
        sys.stderr.write(problem + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
