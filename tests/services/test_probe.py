import make, time, resource
from gqlstock.rules.scopes import SYSTEM
from gqlstock.services import imports
from gqlstock.store import inventory, database
import pytest
@pytest.mark.parametrize("n", ["apparel", "jewelery"])
async def test_a(db, n):
    await make.shop()
    def lines(): return open(f"/work/shared/data/shopify-{n}.csv", encoding="utf-8-sig", newline="").read().splitlines(True)
    print(await imports.shopify_products(SYSTEM, lines(), "BERLIN"))
    before = await database.query("SELECT count(*) c, max(updated_at) u FROM item"), await database.query("SELECT count(*) c FROM outbox"), await database.query("select count(*) c, max(updated_at) u from setting_override")
    print(before)
    print(await imports.shopify_products(SYSTEM, lines(), "BERLIN"))
    assert before == (await database.query("SELECT count(*) c, max(updated_at) u FROM item"), await database.query("SELECT count(*) c FROM outbox"), await database.query("select count(*) c, max(updated_at) u from setting_override"))
    print(await database.query("select sku, name, choice, tracking from item"))
async def test_big(db):
    await make.shop()
    from gqlstock.store.catalog import Item
    at = database.now()
    await database.insert_many([Item(sku=f"SKU-{i:06}", slug=f"s{i}", name=f"n{i}", created_at=at, updated_at=at) for i in range(100_000)])
    rows = ["sku,warehouse,on_hand\n"] + [f"SKU-{i:06},BERLIN,{i%50}\n" for i in range(100_000)]
    for r in range(2):
        t = time.time(); m = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if r == 0:
            import cProfile, pstats
            pr = cProfile.Profile()
            #pr.enable()
        print(await imports.levels(SYSTEM, rows))
        #pr.disable(); 
        print(time.time()-t, m, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        #if.Stats(pr).sort_stats("cumtime").print_stats(40)
