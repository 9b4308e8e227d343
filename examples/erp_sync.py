"""Keeps an ERP and gqlstock in step: what the ERP counted goes in, what shoppers and the warehouse did comes back.

    pip install httpx
    gqlstock token create erp --scope inventory:read --scope inventory:write
    export GQLSTOCK_URL=http://127.0.0.1:8000/graphql GQLSTOCK_TOKEN=gqls_…

    python erp_sync.py push counts.csv     # sku,warehouse,on_hand[,counted_at] – prints the rows that were refused
    python erp_sync.py pull stock.csv      # keeps stock.csv as it is in gqlstock: sku,warehouse,on_hand,available

Both can be run as often as you like: a push that broke off is not written twice, a pull goes on where the last one
ended. Put them into cron, or run the pull every few seconds.
"""

import csv
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import httpx

ATTEMPTS = 3
ROWS_AT_ONCE = 500  # the server takes up to 1,000 rows in one mutation

PUSH = """
mutation Push($input: SetStockInput!) {
  setStock(input: $input) { userErrors { code message path } }
}
"""
CHANGES = """
query Changes($after: String) {
  inventoryChanges(first: 250, after: $after) {
    nodes { level { item { sku } warehouse { code } onHand available deletedAt } }
    pageInfo { hasNextPage endCursor }
  }
}
"""


class TooOld(Exception):
    """The cursor is older than what the server keeps, a week by default, or from before a restore: read everything again."""


def retry(call):
    """Everything here can be sent again: queries, streams, and mutations with an idempotency key."""
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except httpx.HTTPError as error:
            problem = error
            time.sleep(2**attempt)
    raise SystemExit(f"The server does not answer: {problem}")


def ask(client, query, **variables):
    def send():
        answer = client.post(os.environ["GQLSTOCK_URL"], json={"query": query, "variables": variables})
        return answer.raise_for_status() if answer.is_server_error else answer

    body = retry(send).json()
    for error in body.get("errors", []):
        if error["extensions"]["code"] == "INVALID_CURSOR":
            raise TooOld(error["message"])
        raise SystemExit(f"{error['extensions']['code']}: {error['message']}")
    return body["data"]


def push(client, file):
    """Rows that cannot be written are told, the others are written all the same: that is what `partial` is for."""
    with open(file, newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    refused = 0
    for start in range(0, len(rows), ROWS_AT_ONCE):
        batch = rows[start : start + ROWS_AT_ONCE]
        counts = [
            # Quantities are sent as texts: they stay exact. With the moment of the count, sales after it are not undone.
            {"sku": row["sku"], "warehouse": row["warehouse"], "onHand": row["on_hand"]}
            | ({"countedAt": row["counted_at"]} if row.get("counted_at") else {})
            for row in batch
        ]
        # The same rows of the same file have the same key: sent again, they are answered again and not written again.
        key = hashlib.sha256(json.dumps([Path(file).name, start, counts]).encode()).hexdigest()
        given = {"idempotencyKey": key, "partial": True, "reason": "ERP count", "reference": Path(file).name}
        payload = ask(client, PUSH, input={**given, "counts": counts})["setStock"]
        for error in payload["userErrors"]:
            # The path is ["counts", "17", "onHand"]: which of the rows it was.
            row = batch[int(error["path"][1])] if len(error["path"]) > 1 else {}
            print(f"{row.get('sku')},{row.get('warehouse')},{error['code']},{error['message']}")
            refused += 1
    print(f"{len(rows)} rows, {refused} refused", file=sys.stderr)
    return 1 if refused else 0


def pull(client, file):
    """Follow the changes since the last time; the first time, or after a long time, read everything."""
    place = Path(f"{file}.cursor")
    try:
        stock = read(file)
        cursor = follow(client, stock, place.read_text())
    except (FileNotFoundError, TooOld):
        stock, cursor = retry(lambda: everything(client))
        cursor = follow(client, stock, cursor)
    # First the stock, then the cursor: after a crash between them some changes are read again, which does no harm.
    # The other way round they would be lost.
    write(file, "".join(f"{','.join(key + units)}\n" for key, units in sorted(stock.items())))
    write(place, cursor)
    return 0


def everything(client):
    """All levels, and the cursor in the first line: every change that a row may lack comes after it."""
    answer = client.get(httpx.URL(os.environ["GQLSTOCK_URL"]).join("/export/levels.jsonl")).raise_for_status()
    lines = map(json.loads, answer.content.splitlines())
    cursor = next(lines)["cursor"]
    return {(row["sku"], row["warehouse"]): figures(row) for row in lines}, cursor


def follow(client, stock, cursor):
    """Put each change into the stock: it has the level as it is now, so that it may come twice. Returns the new cursor."""
    more = True
    while more:
        page = ask(client, CHANGES, after=cursor)["inventoryChanges"]
        for level in (node["level"] for node in page["nodes"]):
            key = (level["item"]["sku"], level["warehouse"]["code"])
            if level["deletedAt"]:
                stock.pop(key, None)
            else:
                stock[key] = figures(level)
        cursor = page["pageInfo"]["endCursor"] or cursor
        more = page["pageInfo"]["hasNextPage"]
    return cursor


def figures(level):
    return str(level["onHand"]), str(level["available"])


def read(file):
    with open(file, newline="", encoding="utf-8") as opened:
        return {(sku, warehouse): tuple(units) for sku, warehouse, *units in csv.reader(opened)}


def write(file, text):
    """All of it or nothing: whoever reads the file meanwhile sees the old one or the new one."""
    new = Path(f"{file}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("push", "pull"):
        raise SystemExit(__doc__)
    with httpx.Client(headers={"Authorization": f"Bearer {os.environ['GQLSTOCK_TOKEN']}"}, timeout=60) as http:
        raise SystemExit({"push": push, "pull": pull}[sys.argv[1]](http, sys.argv[2]))
