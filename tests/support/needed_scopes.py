"""The scopes that the contract requires for root fields, subscriptions and ids."""

from graphql import build_schema

from gqlstock.graphql.schema.root import text

SCHEMA = build_schema(text())
PUBLIC = """node nodes viewer product inventoryItem inventoryItems products combination category categories
  availabilities checkOrder orderByToken subscribeToBackInStock unsubscribeFromBackInStock"""
SCOPED = {
    "inventory:read": """warehouse warehouses website websites organization organizations inventoryLevel inventoryLevels
      inventoryTransfer inventoryTransfers
      stockMovements stockAnnouncements inventorySettings inventoryChanges explainAvailability lowStockReport demandReport
      categoryDemandReport lowInventoryAlerts""",
    "orders:read": "order orders shipment shipments stockHold stockHolds backInStockSubscriptions orderChanges",
    "catalog:write": """createProduct updateProduct deleteProduct upsertProducts createCombination generateCombinations
      updateCombination deleteCombination createCategory updateCategory deleteCategory""",
    "settings:write": """createOrganization updateOrganization createWebsite updateWebsite createWarehouse updateWarehouse
      setInventorySettings""",
    "inventory:write": """adjustStock setStock transferStock shipTransfer receiveTransfer cancelTransfer
      announceStock receiveStock setInventoryStatus
      withdrawStockAnnouncement updateStockAnnouncement deleteInventoryLevel acknowledgeLowInventoryAlert""",
    "orders:write": """placeOrder cancelOrder moveAllocations editOrder retryOrder createShipment shipShipment
      cancelShipment returnItems holdStock releaseStockHold""",
    "webhooks:write": """webhookEndpoints webhookDeliveries createWebhookEndpoint updateWebhookEndpoint
      deleteWebhookEndpoint testWebhookEndpoint rotateWebhookSecret redeliverWebhook""",
}
NEEDED = {name: scope for scope, names in SCOPED.items() for name in names.split()}
SUBSCRIPTIONS = {
    "lowInventoryAlerts": "inventory:read",
    "inventoryChanges": "inventory:read",
    "orderChanges": "orders:read",
    "availabilityChanges": None,
    "orderChangesByToken": None,
}
NODES = {
    None: "Product Combination Category",
    "inventory:read": """Organization Website Warehouse InventoryLevel StockMovement StockAnnouncement InventoryTransfer
      LowInventoryAlert""",
    "orders:read": "Order OrderLine Allocation Shipment StockHold BackInStockSubscription",
    "webhooks:write": "WebhookEndpoint WebhookDelivery",
}
"""The types of ids, by the scope that they require."""
