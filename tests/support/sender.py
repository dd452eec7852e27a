"""A delivery worker as a process of its own, to be killed or frozen: one SMS tick against the given gateway.

Run as `python tests/support/sender.py GATEWAY_URL [stall]`. With `stall` it claims a message, says so, and calls only
once it reads a line.
"""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from config import load_settings
from grm.app import create_app
from grm.notifications import delivery
from grm.notifications.channels.contract import Letter, MaySend, Outcome, Transport


class Stalled:
    """A transport that gets stuck between the claim and the call, until it is told to go on."""

    def __init__(self, real: Transport) -> None:
        self._real = real

    def send(self, letter: Letter, may_send: MaySend) -> Outcome:
        """Say that a message is claimed, wait for a line, then do what the real one does."""
        print("claimed", flush=True)
        sys.stdin.readline()
        return self._real.send(letter, may_send)

    def hang_up(self) -> None:
        """As the real one does."""
        self._real.hang_up()


def main() -> None:
    """One tick."""
    import os

    settings = replace(load_settings(os.environ), sms_gateway_url=sys.argv[1])
    app = create_app(settings)
    with app.app_context():
        post = delivery.post_for("sms", settings)
        assert post is not None
        if sys.argv[2:] == ["stall"]:
            post = replace(post, transport=Stalled(post.transport))
        print("ready", flush=True)
        delivery.deliver_due(post, tick_seconds=60)
        print("done", flush=True)


if __name__ == "__main__":
    main()
