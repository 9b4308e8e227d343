"""Access to the database: connection, transactions, SQL, records, paging, migrations."""
