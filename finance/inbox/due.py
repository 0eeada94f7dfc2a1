"""Due: what the worker has to do with files."""

from finance.context import Context
from projections.inbox_search import Due, due_files

DUE_MAX = 100


async def due(context: Context) -> list[Due]:
    """Files that are approved and not loaded, loaded and not part of their process, or approved to
    be withdrawn: as the read model of the inbox has them, longest waiting first, at most DUE_MAX.
    Raises psycopg.Error."""
    async with context.connect() as connection:
        return await due_files(connection, DUE_MAX)
