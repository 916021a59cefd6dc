"""What the bot remembers: one database, the same code on SQLite and PostgreSQL, exact to the last digit."""

from storage.secrets import KeyRing
from storage.store import Storage, Store, open_storage

__all__ = ["KeyRing", "Storage", "Store", "open_storage"]
