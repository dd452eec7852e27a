"""Who asked for a file that took long is told once that it is ready, and not what is in it."""

from grm.exports.events import FileReady
from grm.kernel.transaction import Act
from grm.notifications.catalogue import FILE_READY
from grm.notifications.handovers import tell


def on_file_ready(act: Act, event: FileReady) -> None:
    """Tell who asked for it."""
    tell(act, FILE_READY, f"{FILE_READY}:{event.job_id}", {event.officer_id: "{}"})
