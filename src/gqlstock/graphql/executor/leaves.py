"""Completes columns of leaves: serializes scalars and enums, one column at a time."""

from types import NoneType
from typing import Any

from graphql import Undefined

from gqlstock.graphql.executor.columns import Column
from gqlstock.graphql.executor.execution import Execution
from gqlstock.graphql.executor.failures import failed, with_nulls
from gqlstock.graphql.executor.plan import FieldPlan, LeafShape


def complete_leaves(values: Column, shape: LeafShape, field: FieldPlan, execution: Execution) -> Column:
    """The serialized values. None of the given ones is null, an exception or awaitable."""
    serialize = shape.serialize
    try:
        out = [serialize(value) for value in values]
    except Exception:
        return _one_by_one(values, shape, field, execution)
    if NoneType in map(type, out) or Undefined in out:
        return _one_by_one(values, shape, field, execution)
    return out


def _one_by_one(values: Column, shape: LeafShape, field: FieldPlan, execution: Execution) -> Column:
    done = [_serialized(value, shape, field, execution) for value in values]
    return with_nulls(done, nullable=shape.nullable)


def _serialized(value: Any, shape: LeafShape, field: FieldPlan, execution: Execution) -> Any:
    try:
        return execution.executor.complete_leaf_value(shape.graphql_type, value)
    except Exception as error:
        return failed(error, field.nodes, nullable=shape.nullable)
