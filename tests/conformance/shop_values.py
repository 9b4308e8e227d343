"""Reads the existing values of the fuzzed shop: SKUs, codes, numbers, ids, tokens and cursors."""

import contextlib
import threading
import time
from collections import defaultdict

import requests

SECONDS_BETWEEN_READS = 1.0

READ = """{
  items: inventoryItems(first: 60, sort: UPDATED, reverse: true) { nodes { id sku __typename } pageInfo { endCursor } }
  levels: inventoryLevels(first: 60, filter: { availableAtLeast: 1 }) {
    nodes { id item { sku } warehouse { code } } pageInfo { endCursor }
  }
  empty: inventoryLevels(first: 20, filter: { availableBelow: 1 }, sort: UPDATED, reverse: true) {
    nodes { item { sku } warehouse { code } }
  }
  choices: products(first: 20, filter: { tracking: TRACK_WITH_OPTIONS }) {
    nodes { sku options { name values { name } } combinations(first: 20) { nodes { sku } } }
  }
  warehouses(first: 20) { nodes { id code } }
  websites(first: 20) { nodes { id code } }
  organizations(first: 20) { nodes { id code } }
  categories(first: 20) { nodes { id slug } }
  orders(first: 30, reverse: true) { nodes { ...contents } pageInfo { endCursor } }
  placed: orders(first: 20, filter: { statuses: [PLACED] }, reverse: true) { nodes { ...contents } }
  parked: orders(first: 10, filter: { statuses: [BACKORDERED] }, reverse: true) { nodes { ...contents } }
  shipped: orders(first: 20, filter: { statuses: [SHIPPED, PARTIALLY_SHIPPED] }, reverse: true) { nodes { ...contents } }
  shipments(first: 30, reverse: true) { nodes { id number } pageInfo { endCursor } }
  unsent: shipments(first: 30, filter: { states: [PENDING, READY] }) { nodes { number } }
  transfers: inventoryTransfers(first: 20, filter: { states: [IN_TRANSIT] }) { nodes { id number lines { sku } } }
  holds: stockHolds(first: 20, filter: { states: [ACTIVE] }) { nodes { id lines { sku } } }
  announcements: stockAnnouncements(first: 30, filter: { open: true }) {
    nodes { id level { item { sku } warehouse { code } } } pageInfo { endCursor }
  }
  alerts: lowInventoryAlerts(first: 20, filter: { state: RAISED }) { nodes { id } }
  endpoints: webhookEndpoints(first: 20) { nodes { id } }
  deliveries: webhookDeliveries(first: 20) { nodes { id } }
}
fragment contents on Order { id number accessToken lines { id sku allocations { warehouse { code } } } }"""


class Shop:
    """``subjects``: the objects of each kind with their related values, such as an order with its SKUs and warehouses.

    ``values``: the values for each argument and input field, by its name.
    """

    def __init__(self, url, token):
        self._url, self._headers = url, {"Authorization": f"Bearer {token}"}
        self.subjects = defaultdict(list)
        self.values = defaultdict(list)
        self._lock = threading.Lock()
        self._next_read = 0.0

    def read(self):
        """Read the current values, at most once per second. The token must allow all of them."""
        with self._lock:
            if time.monotonic() < self._next_read:
                return
            # If the server is too busy, keep the previous values.
            with contextlib.suppress(requests.RequestException, ValueError):
                answer = requests.post(self._url, json={"query": READ}, headers=self._headers, timeout=30).json()
                assert "errors" not in answer, answer
                self._keep(answer["data"])
            self._next_read = time.monotonic() + SECONDS_BETWEEN_READS

    def _keep(self, data):
        rows = {name: found["nodes"] for name, found in data.items() if found}
        subjects, values = defaultdict(list), defaultdict(list)
        for name in ("warehouses", "websites", "organizations"):
            subjects[name] = [{"code": [row["code"]]} for row in rows[name]]
        for name in ("alerts", "endpoints", "deliveries"):
            subjects[name] = [{"id": [row["id"]]} for row in rows[name]]
        for name in ("shipments", "unsent"):
            subjects[name] = [{"number": [row["number"]]} for row in rows[name]]
        for name in ("orders", "placed", "parked", "shipped"):
            subjects[name] = [_order_values(row) for row in rows[name]]
        for transfer in rows["transfers"]:
            found = {"number": [transfer["number"]], "sku": [line["sku"] for line in transfer["lines"]]}
            subjects["transfers"].append(found)
        for one in rows["announcements"]:
            found = {"id": [one["id"]], "announcement": [one["id"]], "sku": [one["level"]["item"]["sku"]]}
            subjects["announcements"].append(found | {"warehouse": [one["level"]["warehouse"]["code"]]})
        subjects["holds"] = [{"id": [row["id"]]} for row in rows["holds"]]
        for name in ("levels", "empty"):
            for level in rows[name]:
                sku, code = [level["item"]["sku"]], [level["warehouse"]["code"]]
                subjects[name].append({"sku": sku, "skus": sku, "warehouse": code, "from": code})
        for product in rows["choices"]:
            subjects["choices"].append({"product": [product["sku"]], "options": [product["options"]]})
            subjects["combinations"] += [{"sku": [each["sku"]]} for each in product["combinations"]["nodes"]]
        stocked = [level["item"]["sku"] for level in rows["levels"]]
        items = [row["sku"] for row in rows["items"]]
        values["sku"] = values["skus"] = values["product"] = stocked * 2 + items
        products = [row["sku"] for row in rows["items"] if row["__typename"] == "Product"]
        subjects["idle"] = [{"sku": [sku]} for sku in products if sku not in stocked]
        subjects["sold out"] = [{"sku": ["LID"], "website": ["shop"]}]
        values["combination"] = [each["sku"][0] for each in subjects["combinations"]]
        for name in ("warehouse", "warehouses", "from", "to", "shippingOrigin"):
            values[name] = [row["code"] for row in rows["warehouses"]] + ["BERLIN", "HAMBURG"] * 5
        values["website"] = [row["code"] for row in rows["websites"]]
        values["organization"] = [row["code"] for row in rows["organizations"]]
        values["category"] = values["parent"] = values["slug"] = [row["slug"] for row in rows["categories"]]
        values["hold"] = values["replaces"] = [row["id"] for row in rows["holds"]]
        values["order"] = [row["number"] for row in rows["orders"]]
        values["endpoint"] = [row["id"] for row in rows["endpoints"]]
        values["line"] = [line["id"] for order in rows["orders"] for line in order["lines"]]
        values["ids"] = values["id"] = [row["id"] for found in rows.values() for row in found if "id" in row]
        cursors = [found["pageInfo"]["endCursor"] for found in data.values() if found and "pageInfo" in found]
        values["after"] = values["before"] = [cursor for cursor in cursors if cursor]
        self.subjects, self.values = subjects, values


def _order_values(order):
    places = [each["warehouse"]["code"] for line in order["lines"] for each in line["allocations"]]
    known = {"number": [order["number"]], "order": [order["number"]], "token": [order["accessToken"]]}
    known |= {"sku": [line["sku"] for line in order["lines"]], "warehouse": places, "from": places}
    return known | {"to": ["BERLIN", "HAMBURG"]}
