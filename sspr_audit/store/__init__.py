"""One DuckDB file that keeps a tenant's records, and the lock that lets one process write to it."""

from sspr_audit.store.database import Info, Store, Stored, add, claim, set_meta
from sspr_audit.store.locking import held

__all__ = ["Info", "Store", "Stored", "add", "claim", "held", "set_meta"]
