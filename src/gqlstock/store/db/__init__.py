"""How the database is reached: connections, transactions, SQL dialects, records, paging, migrations."""
