"""The README's queries are true: each of them runs against a shop."""

import re
from pathlib import Path

import pytest

import make
from gqlstock.graphql.context import Context
from gqlstock.graphql.schema import build
from gqlstock.rules.scopes import SYSTEM

README = (Path(__file__).parent.parent / "README.md").read_text()
DOCUMENTS = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)


class Silent:
    """A feed and a storefront in which nothing happens."""

    async def parts(self, topics, after):
        for part in ():
            yield part

    async def watch(self, skus, website, caller):
        for showing in ():
            yield showing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda text: text.split("{")[0].strip())
async def test_every_query_of_the_readme_runs(db, document):
    await make.shop()
    await make.product(sku="MUG")
    await make.stock("MUG", "BERLIN", 5)
    await make.product(sku="CUP")
    await make.stock("CUP", "BERLIN", 0)
    context = Context(feed=Silent(), storefront=Silent(), caller=SYSTEM)

    if document.startswith("subscription"):
        results = [result async for result in await build().subscribe(document, context_value=context)]
        errors = [error for result in results for error in result.errors or ()]
    else:
        result = await build().execute(document, context_value=context)
        errors = list(result.errors or ())
        errors += [e for field in (result.data or {}).values() for e in (field.get("userErrors") or ())]

    assert errors == []


def test_the_readme_shows_the_main_job():
    assert [document.split("{")[0].strip() for document in DOCUMENTS] == [
        "query WhatCanBeSold",
        "mutation Order",
        "mutation Count",
        "query Why",
        "subscription Alerts",
        "subscription Shelf",
        "query Missed",
        "mutation Webhook",
        "mutation TellMe",
    ]
