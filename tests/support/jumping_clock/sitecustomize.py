"""For programs under libfaketime: sleep by select, whose wait is not touched.

With a monotonic clock that keeps its pace, libfaketime 0.9.10 refuses the call behind `time.sleep` (a wait until an instant
of that clock) as an invalid argument. Python runs this module at every start where this folder is on PYTHONPATH.
"""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep
