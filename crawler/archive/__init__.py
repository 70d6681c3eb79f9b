"""The SQLite archive: schema, the writer, the queries. Only this package knows table names."""
