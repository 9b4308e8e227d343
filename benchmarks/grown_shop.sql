-- A shop as years of trade would leave it. Every figure follows from a row's number; :names are those of grown_shop.py.

INSERT INTO organization (code, name, created_at) VALUES ('default', 'Default organization', now());

INSERT INTO website (code, name, organization_id, created_at) VALUES ('shop', 'Shop', 1, now());

INSERT INTO warehouse (code, name, active, created_at, updated_at)
SELECT code, initcap(code), TRUE, now(), now() FROM unnest(ARRAY['BERLIN', 'LYON', 'POZNAN']) code;

INSERT INTO assignment (website_id, warehouse_id, priority) SELECT 1, id, id FROM warehouse;

-- Shelves first, so that the number of a product gives its shelf; ten of them are a section. There are ten departments.
INSERT INTO category (slug, name, parent_id, created_at, updated_at)
SELECT 'shelf-' || n, 'Shelf ' || n, :shelves + 1 + (n - 1) / 10, now(), now() FROM generate_series(1, :shelves) n
UNION ALL
SELECT 'section-' || n, 'Section ' || n, :shelves + :sections + 1 + n % 10, now(), now()
FROM generate_series(1, :sections) n
UNION ALL
SELECT 'department-' || n, 'Department ' || n, NULL, now(), now() FROM generate_series(0, 9) n;

-- Of ten items four are products without options, one is a product of five sizes, and five are its combinations.
INSERT INTO item (product_id, sku, name, barcode, own_images, created_at, updated_at, slug, description, category_id,
                  tracking, published, inventory_status, stored_options, choice, choice_digest, folded_sku, folded)
SELECT item.*, lower(sku), lower(name) || E'\n' || barcode FROM (
SELECT CASE WHEN size IS NOT NULL THEN product END,
       'P' || lpad(product::text, 7, '0') || COALESCE('-' || size, '') AS sku,
       adjectives[1 + product * 13 / 7 % 17] || ' ' || nouns[1 + product * 11 / 3 % 21] || ' ' || product
           || COALESCE(' ' || size, '') AS name,
       (4000000000000 + n)::text AS barcode,
       CASE WHEN size IS NULL THEN '[{"url": "https://shop.example/picture.jpg", "alt": null}]' ELSE '[]' END::jsonb,
       made_at, made_at,
       CASE WHEN size IS NULL THEN 'p' || lpad(n::text, 7, '0') END,
       CASE WHEN size IS NULL THEN 'One of many.' END,
       1 + product * 31 % :shelves,
       CASE WHEN place = 4 THEN 'TRACK_WITH_OPTIONS' ELSE 'TRACK_WITHOUT_OPTIONS' END,
       TRUE, 'IN_STOCK',
       CASE WHEN place = 4 THEN options ELSE '[]' END::jsonb,
       CASE WHEN size IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('Size', size) END,
       CASE WHEN size IS NOT NULL THEN encode(sha256(convert_to('[["Size", "' || size || '"]]', 'UTF8')), 'hex') END
FROM (
    SELECT n, (n - 1) % 10 AS place, CASE WHEN (n - 1) % 10 < 4 THEN n ELSE n - (n - 1) % 10 + 4 END AS product,
           (ARRAY['XS', 'S', 'M', 'L', 'XL'])[(n - 1) % 10 - 4] AS size,
           now() - interval '730 days' - interval '1 second' * (:items - n) AS made_at
    FROM generate_series(1, :items) n
) numbered, (
    SELECT string_to_array('Amber,Brass,Cedar,Copper,Ebony,Glass,Iron,Ivory,Linen,Marble,Oak,Pine,Silver,Slate,Steel,'
                           'Walnut,Wicker', ',') AS adjectives,
           string_to_array('Basket,Bench,Bowl,Box,Chair,Clock,Cup,Desk,Hook,Jar,Lamp,Mirror,Mug,Plate,Rack,Shelf,Spoon,'
                           'Stool,Table,Tray,Vase', ',') AS nouns,
           '{"name": "Size", "inventory": true, "values": ['
           '{"name": "XS", "images": []}, {"name": "S", "images": []}, {"name": "M", "images": []}, '
           '{"name": "L", "images": []}, {"name": "XL", "images": []}]}' AS option
) words, LATERAL (SELECT '[' || option || ']' AS options) made
ORDER BY n
) item;

INSERT INTO setting_override (scope, owner_id, values_set, updated_at)
SELECT 'SYSTEM', 0, '{"notify_below": "5", "minimum_stock_quantity": "3", "only_x_left_threshold": "4"}'::jsonb, now()
UNION ALL
SELECT 'WEBSITE', 1, '{"display_stock_quantity": true}', now()
UNION ALL
SELECT 'CATEGORY', n, '{"maximum_order_quantity": "40"}', now() FROM generate_series(1, :shelves, 10) n
UNION ALL
SELECT 'PRODUCT', n, '{"minimum_stock_quantity": "6", "availability_range": "2-4 weeks"}', now()
FROM generate_series(2, :items, 50) n
UNION ALL
SELECT 'COMBINATION', n, '{"quantity_increment": "1"}', now() FROM generate_series(7, :items, 100) n;

-- Levels begin with what moved since, and what is there now; each tenth item has run out. What was ordered of these in the
-- last six days waits. Of each twentieth item some is announced.
CREATE TEMPORARY TABLE counted AS
SELECT row_number() OVER (ORDER BY i.id, w.id) AS id, i.id AS item_id, w.id AS warehouse_id
FROM item i, warehouse w WHERE i.tracking = 'TRACK_WITHOUT_OPTIONS';

CREATE TEMPORARY TABLE waiting AS
SELECT s, c.id AS level_id FROM generate_series(:orders * 2 - :moves / 4 * 6 / 730, :orders * 2) s
JOIN counted c ON c.id = s * 4 * :step % :levels + 1 WHERE c.item_id * 13 / 10 % 10 = 0;

INSERT INTO inventory_level (item_id, warehouse_id, on_hand, reserved, planned, held, backordered, incoming, available,
                             updated_at)
SELECT item_id, warehouse_id, there, 0, 0, 0, waits, CASE WHEN item_id % 20 = 3 THEN 60000 ELSE 0 END, there,
       now() - interval '730 days' * (id * 37 % :levels) / :levels
FROM (
    SELECT *, CASE WHEN item_id * 13 / 10 % 10 = 0 THEN -waits ELSE (20 + id * 53 % 97) * 10000 END AS there
    FROM (SELECT *, 10000 * (SELECT COUNT(*) FROM waiting w WHERE w.level_id = counted.id) AS waits FROM counted) owed
) known
ORDER BY id;

INSERT INTO stock_announcement (level_id, quantity, received, expected_at, reference, created_at)
SELECT id, 80000, 20000, now() + interval '1 day' * (id % 60 - 5), 'PO-' || id / 100, now() - interval '20 days'
FROM inventory_level WHERE incoming > 0 ORDER BY id;

INSERT INTO setting_override (scope, owner_id, values_set, updated_at)
SELECT 'LEVEL', id, '{"notify_below": "1"}'::jsonb, now() FROM inventory_level WHERE id % 100 = 1 AND on_hand > 0;

-- Move t is of the level t * step % levels + 1, one unit less; each fourth is a sale, two of which are an order.
INSERT INTO stock_movement (level_id, kind, quantity, on_hand_after, reason, actor, created_at)
SELECT id, 'RECEIPT', units, units, 'First delivery', 'erp', now() - interval '730 days'
FROM (
    SELECT id, on_hand + 10000 * (:rounds + CASE WHEN (id - 1) * :back % :levels BETWEEN 1 AND :rest THEN 1 ELSE 0 END)
               AS units
    FROM inventory_level
) begun ORDER BY id;

INSERT INTO stock_movement (level_id, kind, quantity, on_hand_after, reason, reference, actor, order_id, created_at)
SELECT l.id, CASE WHEN t % 4 = 0 THEN 'SALE' ELSE 'ADJUSTMENT' END, -10000,
       l.on_hand + 10000 * (:rounds + CASE WHEN (l.id - 1) * :back % :levels BETWEEN 1 AND :rest THEN 1 ELSE 0 END
                            - (t - 1) / :levels - 1),
       CASE WHEN t % 4 <> 0 THEN 'Damaged' END, CASE WHEN t % 4 <> 0 THEN 'DOC-' || t / 10 END,
       CASE WHEN t % 4 = 0 THEN 'storefront' ELSE 'erp' END, CASE WHEN t % 4 = 0 THEN (t / 4 + 1) / 2 END,
       now() - interval '730 days' * (1 - t::float8 / :moves)
FROM generate_series(1, :moves) t JOIN inventory_level l ON l.id = t * :step % :levels + 1
ORDER BY t;

INSERT INTO customer_order (website_id, status, customer_email, reference, placed_at, updated_at, folded)
SELECT 1, CASE WHEN placed_at < now() - interval '14 days' THEN 'SHIPPED' ELSE 'PLACED' END,
       email, 'cart-' || n, placed_at, LEAST(placed_at + interval '2 days', now()), email || E'\ncart-' || n
FROM (
    SELECT n, now() - interval '730 days' * (1 - n * 8::float8 / :moves) AS placed_at,
           'shopper' || n * 7 % (:orders / 3 + 1) || '@shoppers.example' AS email
    FROM generate_series(1, :orders) n
) placed ORDER BY n;

INSERT INTO order_line (order_id, item_id, sku, name, code, selected_options, quantity, canceled, decrement,
                        folded)
SELECT (s + 1) / 2, i.id, i.sku, i.name, i.sku, i.choice, 10000, 0, 'ON_ORDER', lower(i.sku) || E'\n' || lower(i.name)
FROM generate_series(1, :orders * 2) s
JOIN inventory_level l ON l.id = s * 4 * :step % :levels + 1
JOIN item i ON i.id = l.item_id
ORDER BY s;

-- Each line leaves by itself. Of the open ones those of the first week are packed.
INSERT INTO shipment (order_id, warehouse_id, state, tracking_number, created_at, updated_at, shipped_at)
SELECT o.id, l.warehouse_id, CASE WHEN o.status = 'SHIPPED' THEN 'SHIPPED' ELSE 'READY' END,
       CASE WHEN o.status = 'SHIPPED' THEN 'T' || s END, o.placed_at + interval '1 day', o.updated_at,
       CASE WHEN o.status = 'SHIPPED' THEN o.updated_at END
FROM generate_series(1, :orders * 2) s
JOIN customer_order o ON o.id = (s + 1) / 2
JOIN inventory_level l ON l.id = s * 4 * :step % :levels + 1
WHERE o.placed_at < now() - interval '7 days'
ORDER BY s;

INSERT INTO allocation (line_id, warehouse_id, level_id, shipment_id, position, quantity, state, changed_at)
SELECT s, l.warehouse_id, l.id, h.id, 0, 10000,
       CASE WHEN h.state = 'SHIPPED' THEN 'SHIPPED' WHEN s IN (SELECT w.s FROM waiting w) THEN 'BACKORDERED'
            ELSE 'ON_HAND' END,
       COALESCE(h.updated_at, now())
FROM generate_series(1, :orders * 2) s
JOIN inventory_level l ON l.id = s * 4 * :step % :levels + 1
LEFT JOIN shipment h ON h.id = s
ORDER BY s;

-- All that run out have an open alert; as many were resolved.
INSERT INTO low_inventory_alert (item_id, sku, name, code, quantity_left, threshold, state, raised_at, acknowledged_at,
                                 acknowledged_by, resolved_at)
SELECT i.id, i.sku, i.name, i.sku, 40000, 50000, state, now() - interval '30 days',
       CASE WHEN i.id % 3 = 0 THEN now() END, CASE WHEN i.id % 3 = 0 THEN 'anna' END,
       CASE WHEN state = 'RESOLVED' THEN now() END
FROM item i, unnest(ARRAY['RESOLVED', 'RAISED']) state
WHERE i.tracking = 'TRACK_WITHOUT_OPTIONS' AND i.id * 13 / 10 % 10 = 0
ORDER BY i.id, state DESC;

-- The news of the last tenth of the movements, of transactions that ended before this one.
INSERT INTO outbox (tx, mark, topic, subject, data, created_at)
SELECT 1 + m.id * (pg_current_xact_id()::text::bigint - 2) / (:levels + :moves + 1), (random() * 1e15)::bigint,
       'LEVEL', m.level_id, jsonb_build_object('movement', m.id), m.created_at
FROM stock_movement m WHERE m.id > :levels + :moves - :news
UNION ALL
SELECT 1 + (:levels + s * 4) * (pg_current_xact_id()::text::bigint - 2) / (:levels + :moves + 1), (random() * 1e15)::bigint,
       'ORDER', (s + 1) / 2, '{"placed": true}', now()
FROM generate_series(:orders * 2 - :news / 4, :orders * 2) s
ORDER BY 1;

INSERT INTO dispatch (id, tx, entry_id, mark)
SELECT 1, tx, id, mark FROM outbox ORDER BY tx DESC, id DESC LIMIT 1
ON CONFLICT (id) DO UPDATE SET tx = excluded.tx, entry_id = excluded.entry_id, mark = excluded.mark;
