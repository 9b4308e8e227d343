"""The steps of clients for orders, holds and shipments."""

from typing import Any

from gqlstock.graphql.relay import nodes
from gqlstock.rules import orders as order_rules
from gqlstock.rules import shipments as shipment_rules
from support.stock_clients import Client, Known, Shelf, lines

# Longer than any run.
_MINUTES = 1_440


class Shopper(Client):
    """A client that also works on orders, holds and shipments."""

    async def place(self, shelf: Shelf) -> None:
        await self._order(shelf, None)

    async def place_held(self, shelf: Shelf) -> None:
        await self._order(shelf, self._recent(shelf.holds))

    async def _order(self, shelf: Shelf, hold: int | None) -> None:
        rows = self._random_rows(shelf)
        asked: dict[str, Any] = {"lines": lines(rows)}
        if hold is not None:
            asked["hold"] = nodes.global_id("StockHold", hold)
        call = await self._record.do(shelf, "place", {"rows": rows, "hold": hold}, asked, tagged="reference")
        if call.made is not None:
            shelf.orders.append(Known(call.made, call.lines))

    async def look_order(self, shelf: Shelf) -> None:
        if order := self._recent(shelf.orders):
            await self._record.look_order(shelf, order.id)

    async def hold(self, shelf: Shelf) -> None:
        rows = self._random_rows(shelf)
        replaces = self._recent(shelf.holds) if self._chance.random() < 0.2 else None
        asked: dict[str, Any] = {"lines": lines(rows), "minutes": _MINUTES}
        if replaces is not None:
            asked["replaces"] = nodes.global_id("StockHold", replaces)
        call = await self._record.do(shelf, "hold", {"rows": rows, "replaces": replaces}, asked)
        if call.made is not None:
            shelf.holds.append(call.made)

    async def release(self, shelf: Shelf) -> None:
        if hold := self._recent(shelf.holds):
            await self._record.do(shelf, "release", {"id": hold}, {"id": nodes.global_id("StockHold", hold)})

    async def expire(self, shelf: Shelf) -> None:
        if hold := self._recent(shelf.holds):
            await self._record.expire(shelf, hold)

    async def retry(self, shelf: Shelf) -> None:
        if order := self._recent(shelf.orders):
            await self._record.do(shelf, "retry", {"id": order.id}, {"number": order_rules.number(order.id)})

    async def cancel(self, shelf: Shelf) -> None:
        """Cancel all unshipped units of an order, or some of them. Partly packed orders are canceled whole, because the model
        does not define which of two open shipments loses units."""
        order: Known | None = self._recent(shelf.orders)
        if order is None:
            return
        rows = None
        if not order.partly_packed and self._chance.random() < 0.5:
            order.partly_canceled = True
            rows = self._random_lines(order)
        restock = self._chance.random() < 0.7
        asked = {"number": order_rules.number(order.id), "lines": lines(rows) if rows else None, "restock": restock}
        await self._record.do(
            shelf, "cancel", {"id": order.id, "rows": rows, "restock": restock}, asked, tagged="reason"
        )

    async def edit(self, shelf: Shelf) -> None:
        """Change the quantities of some lines, and perhaps add a line. In partly packed orders, quantities become 0 or 9,
        because the model does not define which of two open shipments loses units."""
        order: Known | None = self._recent(shelf.orders)
        if order is None:
            return
        most = min(self._chance.choice([0, 1, 1, 2]), len(order.lines))
        change = [(number, self._chance.randint(0, 4)) for number in self._chance.sample(range(len(order.lines)), most)]
        if order.partly_packed:
            change = [(number, 0 if quantity < 4 else 9) for number, quantity in change]
        elif change:
            order.partly_canceled = True
        add = self._random_rows(shelf)[:1] if not change or self._chance.random() < 0.3 else []
        changes = [
            {"line": order.lines[number][0], "sku": order.lines[number][1], "quantity": quantity}
            for number, quantity in change
        ]
        asked = {"number": order_rules.number(order.id), "change": changes, "add": lines(add)}
        call = await self._record.do(
            shelf, "edit", {"id": order.id, "change": change, "add": add}, asked, tagged="reason"
        )
        if len(call.lines) > len(order.lines):
            order.lines = call.lines

    async def move(self, shelf: Shelf) -> None:
        order: Known | None = self._recent(shelf.orders)
        if order is None or order.partly_packed:
            return
        order.partly_canceled = True
        ((sku, quantity),) = self._random_lines(order)
        source, target = self._chance.sample(list(shelf.group.warehouses), 2)
        given = {"id": order.id, "sku": sku, "quantity": quantity, "source": source, "target": target}
        row = {"sku": sku, "quantity": quantity, "from": source, "to": target}
        await self._record.do(
            shelf, "move", given, {"number": order_rules.number(order.id), "lines": [row]}, tagged="reason"
        )

    async def take_back(self, shelf: Shelf) -> None:
        if order := self._recent(shelf.orders):
            rows, restock = self._random_lines(order), self._chance.random() < 0.7
            asked = {"order": order_rules.number(order.id), "lines": lines(rows), "restock": restock}
            given = {"id": order.id, "rows": rows, "restock": restock}
            await self._record.do(shelf, "take_back", given, asked, tagged="reason")

    async def pack(self, shelf: Shelf) -> None:
        """Pack all units of an order in a warehouse. Pack only some if units are neither backordered nor partly canceled."""
        order: Known | None = self._recent(shelf.orders)
        if order is None:
            return
        rows = None
        if not (shelf.waits or order.partly_canceled) and self._chance.random() < 0.3:
            order.partly_packed = True
            rows = self._random_lines(order)
        first, second = shelf.group.warehouses
        warehouse = first if self._chance.random() < 0.7 else second
        asked = {"order": order_rules.number(order.id), "warehouse": warehouse, "lines": lines(rows) if rows else None}
        given = {"order": order.id, "warehouse": warehouse, "rows": rows}
        call = await self._record.do(shelf, "pack", given, asked)
        if call.made is not None:
            shelf.shipments.append(call.made)

    async def ship(self, shelf: Shelf) -> None:
        if id := self._recent(shelf.shipments):
            anyway = self._chance.random() < 0.3
            asked = {"number": shipment_rules.number(id), "allowNegative": anyway}
            await self._record.do(shelf, "ship", {"id": id, "anyway": anyway}, asked)

    async def unpack(self, shelf: Shelf) -> None:
        if id := self._recent(shelf.shipments):
            await self._record.do(shelf, "unpack", {"id": id}, {"number": shipment_rules.number(id)})
