"""One DuckDB file that keeps a tenant's records, and the lock that lets one process write to it."""

from sspr_audit.store.batches import Stored, fill
from sspr_audit.store.database import Info, NoStore, Store, copy_audit, copy_rivals, files
from sspr_audit.store.locking import held
from sspr_audit.store.schema import Outdated, agree, claim

__all__ = [
    "Info",
    "NoStore",
    "Outdated",
    "Store",
    "Stored",
    "agree",
    "claim",
    "copy_audit",
    "copy_rivals",
    "files",
    "fill",
    "held",
]
