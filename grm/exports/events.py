"""What happens with prepared files, as far as somebody is told of it."""

from dataclasses import dataclass

from grm.kernel.events import Event


@dataclass(frozen=True, slots=True)
class FileReady(Event):
    """A file that was long in the making is ready for who asked for it, who may have closed the page since."""

    job_id: int
    officer_id: int
