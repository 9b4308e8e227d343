"""The file formats that can be imported, by command name. A new format is registered here."""

from collections.abc import Mapping

from gqlstock.formats import (
    cs_cart,
    cs_cart_combinations,
    levels,
    magento,
    magento_sources,
    oro_categories,
    oro_inventory,
    oro_products,
    shopify,
    shopify_inventory,
    spree,
    woocommerce,
)
from gqlstock.formats.format import Format

FORMATS: Mapping[str, Format] = {
    "shopify-products": shopify.FORMAT,
    "shopify-inventory": shopify_inventory.FORMAT,
    "woocommerce": woocommerce.FORMAT,
    "magento-products": magento.FORMAT,
    "magento-sources": magento_sources.FORMAT,
    "oro-products": oro_products.FORMAT,
    "oro-inventory": oro_inventory.FORMAT,
    "oro-categories": oro_categories.FORMAT,
    "spree": spree.FORMAT,
    "cs-cart": cs_cart.FORMAT,
    "cs-cart-combinations": cs_cart_combinations.FORMAT,
    "levels": levels.FORMAT,
}
