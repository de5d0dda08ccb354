"""The real clock; nothing below the commands knows another way to the time."""

import time
from datetime import UTC, datetime


class Wall:
    """Tells the time by the machine and really waits."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Return when so many seconds have passed; at once for 0 or less."""
        time.sleep(max(0.0, seconds))
