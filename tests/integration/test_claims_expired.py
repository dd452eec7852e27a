"""A sender that comes back after its claim has run out touches nothing of the next sender's."""

from datetime import timedelta

from sqlalchemy.orm import Session

from grm.kernel import clock, context
from grm.notifications import outbox
from grm.notifications.outbox import Claimed, Terms
from tests.support.outbox import add_message, attempts, later, message

LEASE = timedelta(seconds=2)
TERMS = Terms(
    channel="sms",
    lease=LEASE,
    gateways=("main",),
    can_ask=frozenset(),
    public_url="http://localhost",
    report_url=lambda message_id, gateway: None,
)


def test_handing_back_a_claim_that_ran_out_leaves_the_next_senders_attempt(session: Session) -> None:
    """Its attempt bears the same number, as the first sender never called. Without the row a lost answer would be forgotten,
    and the message sent again unmarked."""
    now = clock.now(session)
    message_id = add_message(session, now)

    def claimed(at: object) -> Claimed:
        [found] = outbox.claim(session, context.keyring(), TERMS, at, 1).claimed  # type: ignore[arg-type]
        session.commit()
        return found

    slow = claimed(now)
    after = later(now, seconds=3)
    assert outbox.recover(session, "sms", after) == 1
    session.commit()
    quick = claimed(after)
    assert outbox.release(session, [quick], after) == [quick]
    session.commit()
    assert quick.number == slow.number

    outbox.hand_back(session, [slow], after)
    session.commit()
    assert attempts(session, message_id) == [(1, None, None)]
    assert message(session, message_id).claim == quick.claim

    outbox.hand_back(session, [quick], after)
    session.commit()
    assert attempts(session, message_id) == [] and message(session, message_id).state == "pending"
