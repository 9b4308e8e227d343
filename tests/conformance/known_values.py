"""schemathesis hooks that replace generated values with existing ones of the shop, so that mutations find their objects.

A case replaces all values, most of them or none. The values are read from FUZZ_URL with FUZZ_TOKEN. Webhooks are sent to
FUZZ_RECEIVER. The outcomes of the cases are counted and written to the file FUZZ_COUNTS.
"""

import atexit
import contextlib
import json
import os
import threading
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import codes  # noqa: F401
import graphql
import schemathesis
from shop_values import Shop

COUNTS, RECEIVER = Path(os.environ["FUZZ_COUNTS"]), os.environ["FUZZ_RECEIVER"]
SHARES_REPLACED = (0.0, 0.7, 1.0, 1.0, 1.0)
MAX_LIST_LENGTH = 2

# The kind of object that each field works on. The values of one object are used together.
SUBJECTS = {
    **dict.fromkeys(("cancelOrder", "order", "orderByToken"), "orders"),
    **dict.fromkeys(("editOrder", "moveAllocations", "createShipment"), "placed"),
    "retryOrder": "parked",
    "returnItems": "shipped",
    **dict.fromkeys(("shipShipment", "cancelShipment"), "unsent"),
    "shipment": "shipments",
    **dict.fromkeys(("receiveTransfer", "cancelTransfer", "inventoryTransfer"), "transfers"),
    **dict.fromkeys(("withdrawStockAnnouncement", "updateStockAnnouncement", "receiveStock"), "announcements"),
    **dict.fromkeys(("releaseStockHold", "stockHold"), "holds"),
    **dict.fromkeys(("adjustStock", "setStock", "transferStock", "shipTransfer"), "levels"),
    "deleteInventoryLevel": "empty",
    "inventoryLevel": "levels",
    **dict.fromkeys(("createCombination", "generateCombinations"), "choices"),
    **dict.fromkeys(("updateCombination", "deleteCombination", "combination"), "combinations"),
    **dict.fromkeys(("updateWarehouse", "warehouse"), "warehouses"),
    **dict.fromkeys(("updateWebsite", "website"), "websites"),
    **dict.fromkeys(("updateOrganization", "organization"), "organizations"),
    "acknowledgeLowInventoryAlert": "alerts",
    "redeliverWebhook": "deliveries",
    "deleteProduct": "idle",
    "subscribeToBackInStock": "sold out",
}
ENDPOINTS = ("updateWebhookEndpoint", "deleteWebhookEndpoint", "testWebhookEndpoint", "rotateWebhookSecret")
SUBJECTS |= dict.fromkeys(ENDPOINTS, "endpoints")
NEW = {"createProduct": "sku", "createCombination": "sku", "createCategory": "slug"}
NEW |= dict.fromkeys(("createWarehouse", "createWebsite", "createOrganization"), "code")
# Rarely used arguments, because most of their values only cause refusals.
RARE = ("hold", "replaces", "line", "expectedOnHand", "countedAt", "after", "before", "last", "renamedFrom", "existing")
RARE += ("barcode", "announcement", "search", "idempotencyKey")


# Not the random module itself, because hypothesis reseeds it for each case.
random = Random()
shop = Shop(os.environ["FUZZ_URL"], os.environ["FUZZ_TOKEN"])


def moment(*, future):
    hours = random.randint(1, 2_000)
    return (datetime.now(UTC) + timedelta(hours=hours if future else -hours)).isoformat()


NUMBERS = {
    **dict.fromkeys(("first", "last"), (1, 20)),
    **dict.fromkeys(("days", "coverDays", "minutes"), (1, 60)),
    "incomingBufferDays": (0, 5),
    "delta": (-2, 9),
    "quantity": (1, 3),
    "onHand": (0, 900),
    "priority": (1, 9),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "outOfStockThreshold": (-9, 3),
    "maximumOrderQuantity": (50, 900),
    "allowedQuantities": (1, 4),
}
QUANTITIES = (0, 5)
FUTURE = ("expectedAt", "availabilityDate", "expectedUntil")
TEXTS = {
    "email": lambda: f"buyer{random.randint(1, 99)}@shop.example",
    "customerEmail": lambda: f"buyer{random.randint(1, 99)}@shop.example",
    "idempotencyKey": lambda: f"key-{random.randint(1, 400)}",
    "name": lambda: f"Name {random.randint(1, 999)}",
    "url": lambda: f"https://shop.example/{random.randint(1, 99)}.png",
    **dict.fromkeys(("reason", "reference", "carrier", "trackingNumber", "alt"), lambda: f"Text {random.random()}"),
    "newSku": lambda: f"R{random.getrandbits(32)}",
    "newSlug": lambda: f"r{random.getrandbits(32)}",
}


class Case:
    """An operation, and the object of the shop that it works on."""

    def __init__(self, schema, field):
        self._schema, self._field = schema, field
        self._share = random.choice(SHARES_REPLACED)
        # The product query takes exactly one of the two.
        self._omitted = random.choice(("sku", "slug"))
        rows = shop.subjects.get(SUBJECTS.get(field, ""))
        self._row = random.choice(rows) if rows else {}

    def filled(self, node, type_, name):
        """The value with generated values replaced, or None to omit it."""
        if isinstance(type_, graphql.GraphQLNonNull):
            return self.filled(node, type_.of_type, name) or node
        if self._share and name in RARE and random.random() < 0.85:
            return None
        if self._share and self._field == "product" and name == self._omitted:
            return None
        if isinstance(node, graphql.NullValueNode):
            return node if random.random() < 0.3 else None
        if isinstance(type_, graphql.GraphQLList):
            return self._list(node, type_, name)
        if isinstance(type_, graphql.GraphQLInputObjectType):
            return self._object(node, type_) if isinstance(node, graphql.ObjectValueNode) else node
        if isinstance(type_, graphql.GraphQLScalarType) and random.random() < self._share:
            return self._scalar(type_.name, name) or node
        return node

    def _list(self, node, type_, name):
        if not isinstance(node, graphql.ListValueNode) or not self._share:
            return node
        if name == "options" and (choice := self._choice(type_)) is not None:
            return choice
        values = list(node.values)[: random.randint(1, MAX_LIST_LENGTH)]
        values = values or [each for each in [self._new(type_.of_type, name)] if each]
        filled = [self.filled(value, type_.of_type, name) or value for value in values]
        # Remove duplicate rows, because they are refused.
        return graphql.ListValueNode(values=list({graphql.print_ast(each): each for each in filled}.values()))

    def _choice(self, type_):
        if graphql.get_named_type(type_).name != "SelectedOptionInput":
            return None
        options = self._row.get("options") or [each["options"][0] for each in shop.subjects["choices"]]
        if not options:
            return None
        wanted = {one["name"]: random.choice(one["values"])["name"] for one in random.choice(options)}
        return graphql.ListValueNode(values=[object_of(name=name, value=value) for name, value in wanted.items()])

    def _object(self, node, type_):
        given = {field.name.value: field.value for field in node.fields if field.name.value in type_.fields}
        if self._share and "system" in type_.fields:
            given = self._scope(given, type_)
        for name, field in type_.fields.items():
            if self._share and graphql.is_required_input_field(field) and name not in given:
                given[name] = self._new(field.type, name)
        fields = []
        for name, value in given.items():
            filled = self.filled(value, type_.fields[name].type, name) if value else None
            if filled is not None:
                fields.append(field_of(name, filled))
        return graphql.ObjectValueNode(fields=fields)

    def _scope(self, given, type_):
        """Choose exactly one scope of settings."""
        name = random.choice(list(type_.fields))
        if name == "system":
            return {name: graphql.BooleanValueNode(value=True)}
        kept = given.get(name)
        return {name: kept if kept and kept.kind != "null_value" else self._new(type_.fields[name].type, name)}

    def _new(self, type_, name):
        type_ = graphql.get_nullable_type(type_)
        if isinstance(type_, graphql.GraphQLList):
            return graphql.ListValueNode(values=[self._new(type_.of_type, name)])
        if isinstance(type_, graphql.GraphQLInputObjectType):
            needed = {key: field.type for key, field in type_.fields.items() if graphql.is_required_input_field(field)}
            return graphql.ObjectValueNode(fields=[field_of(key, self._new(of, key)) for key, of in needed.items()])
        if isinstance(type_, graphql.GraphQLEnumType):
            return graphql.EnumValueNode(value=random.choice(list(type_.values)))
        return self._scalar(type_.name, name) or graphql.StringValueNode(value="generated")

    def _scalar(self, type_name, name):
        if type_name in ("Int", "Float", "Quantity"):
            low, high = NUMBERS.get(name, QUANTITIES)
            return graphql.IntValueNode(value=str(random.randint(low, high)))
        if type_name == "DateTime":
            return graphql.StringValueNode(value=moment(future=name in FUTURE))
        if type_name not in ("String", "ID"):
            return None
        if NEW.get(self._field) == name or (
            self._field == "upsertProducts" and name == "sku" and random.random() < 0.3
        ):
            return graphql.StringValueNode(value=f"F{random.getrandbits(32)}")
        if name == "url" and "Webhook" in self._field:
            return graphql.StringValueNode(value=RECEIVER)
        if name in TEXTS and random.random() < 0.8:
            return graphql.StringValueNode(value=TEXTS[name]())
        known = self._row.get(name) or shop.values.get(name)
        if name == "to":
            known = [code for code in known or () if code not in self._row.get("from", ())]
        return graphql.StringValueNode(value=random.choice(known)) if known else None


def field_of(name, value):
    return graphql.ObjectFieldNode(name=graphql.NameNode(value=name), value=value)


def object_of(**texts):
    fields = [field_of(name, graphql.StringValueNode(value=text)) for name, text in texts.items()]
    return graphql.ObjectValueNode(fields=fields)


class Arguments(graphql.Visitor):
    """Fills the arguments of every field, and selects the user errors of each mutation."""

    def __init__(self, schema, types, case):
        super().__init__()
        self._schema, self._types, self._case = schema, types, case

    def enter_field(self, node, *_):
        definition = self._types.get_field_def()
        if definition is None:
            return None
        arguments = []
        for argument in node.arguments:
            known = definition.args.get(argument.name.value)
            filled = self._case.filled(argument.value, known.type, argument.name.value) if known else argument.value
            if filled is not None:
                arguments.append(graphql.ArgumentNode(name=argument.name, value=filled))
        selection = node.selection_set
        if self._types.get_parent_type() is self._schema.mutation_type and selection is not None:
            errors = graphql.parse("{ userErrors { code } }").definitions[0].selection_set.selections
            selection = graphql.SelectionSetNode(selections=[*selection.selections, *errors])
        return graphql.FieldNode(
            name=node.name, alias=node.alias, arguments=arguments, directives=node.directives, selection_set=selection
        )


@schemathesis.hook
def before_call(context, case, kwargs):
    if not isinstance(case.body, str):
        return
    # With application/json every response has status 200. The other media type allows error statuses.
    case.headers["Accept"] = random.choice(("application/json", "application/graphql-response+json"))
    shop.read()
    schema = case.operation.schema.client_schema
    try:
        document = graphql.parse(case.body)
    except graphql.GraphQLSyntaxError:
        return
    # Do not seed it with the text: hypothesis repeats the simplest texts.
    operation = Case(schema, case.operation.definition.field_name)
    types = graphql.TypeInfo(schema)
    visitor = graphql.TypeInfoVisitor(types, Arguments(schema, types, operation))
    case.body = graphql.print_ast(graphql.visit(document, visitor))


counts = defaultdict(Counter)
counts_lock = threading.Lock()


@schemathesis.hook
def after_call(context, case, response):
    with contextlib.suppress(ValueError):
        outcome = outcome_of(response.json(), case.operation.definition.field_name)
        with counts_lock:
            counts[case.operation.label][outcome] += 1


def outcome_of(answer, field):
    error_codes = {error.get("extensions", {}).get("code") for error in answer.get("errors") or ()}
    payload = (answer.get("data") or {}).get(field)
    if error_codes:
        return "denied" if error_codes & {"UNAUTHENTICATED", "FORBIDDEN"} else "error"
    if payload is None:
        return "nothing"
    return "refused" if isinstance(payload, dict) and payload.get("userErrors") else "done"


@atexit.register
def write_counts():
    COUNTS.write_text(json.dumps(counts))
