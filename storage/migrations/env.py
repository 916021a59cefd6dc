"""How Alembic reaches our tables: on the connection it is handed, inside the caller's transaction."""

from __future__ import annotations

from alembic import context

import storage.tables_live
import storage.tables_stops  # noqa: F401 - both fill the metadata
from storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    compare_server_default=True,
    render_as_batch=connection.dialect.name == "sqlite",
    user_module_prefix="storage.types.",
)
with context.begin_transaction():
    context.run_migrations()
