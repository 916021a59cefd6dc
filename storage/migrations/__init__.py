"""The history of the tables, one revision a file; written on SQLite, run on both databases."""
