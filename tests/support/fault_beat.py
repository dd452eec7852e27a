"""The product's beat as the fault tests run it.

FAULTS_BEAT_LOCK   "bypassed": this beat sends ticks whether or not it holds the lock
"""

import os

from grm.kernel.one_holder import OneHolder
from grm.schedule import beat

__all__ = ["beat"]

if os.environ.get("FAULTS_BEAT_LOCK") == "bypassed":
    _really_holds = OneHolder.holds

    def _believes_to_hold(holder: OneHolder) -> bool:
        _really_holds(holder)  # it also opens the connection for the heartbeat
        return True

    OneHolder.holds = _believes_to_hold  # type: ignore[method-assign]
