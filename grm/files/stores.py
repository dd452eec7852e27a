"""Which store the settings name."""

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from config import Settings
from grm.files.store import FolderStore, Store

if TYPE_CHECKING:
    from grm.files.store_s3 import S3Store


def open_store(settings: Settings) -> Store:
    """The folder, or where `ATTACHMENTS_URL` is set the bucket. Opening one touches neither."""
    if not settings.attachments_url:
        return FolderStore(settings.attachments_dir)
    return _s3(
        os.getpid(),
        settings.attachments_url,
        settings.attachments_s3_endpoint,
        settings.attachments_s3_region,
        settings.attachments_s3_key,
        settings.attachments_s3_secret,
    )


@lru_cache(maxsize=4)
def _s3(process: int, *told: str) -> "S3Store":
    """One for each process: its connections belong to the process that opened them. Installations with a folder never load
    the library."""
    from grm.files.store_s3 import S3Store

    return S3Store(*told)
