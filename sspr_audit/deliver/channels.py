"""A few lines leave for a chat (Teams, Slack and others) through apprise.

A channel's address is a secret. So its name is all that anybody is told, and whatever apprise, or a
library under it, would log or warn of is kept silent: debug lines hold whole addresses.
"""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from sspr_audit.deliver.errors import InDoubt
from sspr_audit.deliver.outbox import Way
from sspr_audit.errors import SettingsError
from sspr_audit.model import Envelope

if TYPE_CHECKING:
    from apprise import Apprise


def ways(addresses: str) -> dict[str, Way]:
    """Return the way to each channel by its name, such as `slack-1a2b3c4d`; nothing is sent yet.

    `addresses` are apprise's, with blanks between. Raises SettingsError, which tells none of them.
    """
    found: dict[str, Way] = {}
    for number, address in enumerate(addresses.split(), 1):
        with _silence():
            is_known = _server(address) is not None
        scheme = re.match(r"([a-z0-9]+)://", address, re.IGNORECASE)
        if not is_known or scheme is None:
            msg = (
                f"SSPR_AUDIT_CHANNELS: its address {number} is none that apprise can post to;"
                " https://appriseit.com/services/ shows how to write it"
            )
            raise SettingsError(msg)
        key = hashlib.sha256(address.encode()).hexdigest()[:8]
        found[f"{scheme[1].lower()}-{key}"] = partial(_posted, address)
    return found


def _posted(
    address: str, text: bytes, envelope: Envelope, commit: Callable[[], None]
) -> tuple[str, ...]:
    """Post a text, once; `commit` is called just before. Returns nobody. Raises InDoubt."""
    commit()
    with _silence():
        is_posted = _notified(address, text.decode())
    if not is_posted:
        msg = f"apprise does not say that {', '.join(envelope.to)} has it, nor that it has not"
        raise InDoubt(msg)
    return ()


def _notified(address: str, text: str) -> bool:
    """Say whether apprise is sure of it; some channels sign out, and log it, as this returns."""
    from apprise import NotifyFormat

    try:
        server = _server(address)
        return server is not None and bool(server.notify(text, body_format=NotifyFormat.TEXT))
    except Exception:  # noqa: BLE001 - of any library under any channel, and it may tell the address
        return False


def _server(address: str) -> Apprise | None:
    """Return what posts to an address; None where apprise does not understand it."""
    try:
        from apprise import Apprise, AppriseAsset
    except ImportError:
        msg = (
            "SSPR_AUDIT_CHANNELS is set, and the package that posts there is missing:"
            " pip install 'sspr-audit[channels]'"
        )
        raise SettingsError(msg) from None
    asset = AppriseAsset(
        app_id="sspr-audit",
        image_url_mask="",  # nobody's chat loads a picture from elsewhere
        storage_mode="memory",  # a file would keep what belongs to an address
    )
    try:
        one = Apprise.instantiate(address, asset=asset)
    except Exception:  # noqa: BLE001 - as above: no address is told
        return None
    if one is None:
        return None
    one.retry = 0  # an address may ask for more, but a second try can double the first
    one.optional = False  # the same: a failure is to be told
    server = Apprise(asset=asset)
    server.add(one)
    return server


@contextmanager
def _silence() -> Iterator[None]:
    """Keep every log and warning silent while the block runs, whoever would hear them."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
