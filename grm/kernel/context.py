"""What the running application was built with: its settings and its keys."""

from typing import cast

from flask import current_app

from config import Settings
from grm.kernel.crypto import Keyring

SETTINGS = "grm.settings"
KEYRING = "grm.keyring"


def settings() -> Settings:
    """Return the frozen settings of the running application."""
    return cast(Settings, current_app.extensions[SETTINGS])


def keyring() -> Keyring:
    """Return the keys of the running application (`grm/kernel/crypto.py`)."""
    return cast(Keyring, current_app.extensions[KEYRING])
