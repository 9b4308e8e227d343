"""Resolves a field: gets its values for a column of objects from the field's source."""

from typing import Any

from gqlstock.graphql.executor import batch
from gqlstock.graphql.executor.execution import Execution
from gqlstock.graphql.executor.paths import Paths
from gqlstock.graphql.executor.plan import (
    Arguments,
    AttributeSource,
    BatchSource,
    FieldPlan,
    MethodSource,
    ResolverSource,
)


def resolve(field: FieldPlan, objects: list[Any], paths: Paths, execution: Execution) -> Any:
    """The field's value for each object, or the exception that it raised; or an awaitable of all values."""
    source = field.source
    if isinstance(source, AttributeSource):
        return _attributes(source, objects)
    if isinstance(source, BatchSource):
        return _batch(source, field, objects, paths, execution)
    if isinstance(source, MethodSource):
        return [
            _call_method(source, field, value, path, execution) for value, path in zip(objects, paths.all, strict=True)
        ]
    if isinstance(source, ResolverSource):
        return [
            _call_resolver(source, field, value, path, execution)
            for value, path in zip(objects, paths.all, strict=True)
        ]
    return [field.parent.name] * len(objects)


def _attributes(source: AttributeSource, objects: list[Any]) -> list[Any]:
    try:
        return list(map(source.read, objects))
    except Exception:
        return [_attribute(source, value) for value in objects]


def _attribute(source: AttributeSource, value: Any) -> Any:
    try:
        return source.read(value)
    except Exception as error:
        return error


def _batch(source: BatchSource, field: FieldPlan, objects: list[Any], paths: Paths, execution: Execution) -> Any:
    try:
        if source.at_hand is not None:
            known = list(map(source.at_hand, objects))
            if None not in known:
                return known
        info = _info(source, field, paths.at(0), execution)
        return batch.load(source.function, objects, info, _arguments(source, field, execution))
    except Exception as error:
        return [error] * len(objects)


def _call_method(source: MethodSource, field: FieldPlan, value: Any, path: Any, execution: Execution) -> Any:
    try:
        info = _info(source, field, path, execution)
        arguments = dict(_arguments(source, field, execution))
        for name in source.parent_names:
            arguments[name] = value
        if source.info_name is not None:
            arguments[source.info_name] = info
        return source.field.get_result(value, info, [value] if source.takes_self else [], arguments)
    except Exception as error:
        return error


def _call_resolver(source: ResolverSource, field: FieldPlan, value: Any, path: Any, execution: Execution) -> Any:
    info = execution.info(field, path)
    try:
        return (source.resolve or execution.executor.field_resolver)(value, info, **execution.arguments(field))
    except Exception as error:
        return error


def _info(source: BatchSource | MethodSource, field: FieldPlan, path: Any, execution: Execution) -> Any:
    """Strawberry's info."""
    return execution.converter.config.info_class(_raw_info=execution.info(field, path), _field=source.field)


def _arguments(source: BatchSource | MethodSource, field: FieldPlan, execution: Execution) -> Arguments:
    """The arguments as the resolver expects them. Raises an error if they are invalid."""
    if source.constant_arguments is not None:
        return source.constant_arguments
    given = execution.arguments(field)
    converted = source.convert(given)
    if field.constant_arguments is given:
        source.constant_arguments = converted
    return converted
