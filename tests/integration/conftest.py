"""What tests of e-mail share: a mail server of their own, and what it took."""

from collections.abc import Iterator

import pytest

from tests.support.mailbox import Mailbox, running_mailbox


@pytest.fixture
def server() -> Iterator[tuple[Mailbox, int]]:
    """A mail server on a port of its own."""
    with running_mailbox() as running:
        yield running


@pytest.fixture
def mailbox(server: tuple[Mailbox, int]) -> Mailbox:
    """What that server took."""
    return server[0]
