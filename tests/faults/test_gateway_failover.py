"""Two described gateways behind the whole system: the union of their own logs says that each message was taken once."""

import contextlib
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from grm.notifications import breaker
from tests.support import provider as pv
from tests.support.fault_table import Findings, Form
from tests.support.faults import FaultRig
from tests.support.provider import TOKEN, Provider

pytestmark = pytest.mark.faults

OPEN = "SELECT count(*) FROM message WHERE ended_at IS NULL"


class TwoGateways(FaultRig):
    """The rig with a gateways file: `first` is preferred, `second` stands in; both can be asked for a message."""

    def __init__(self, top: Path) -> None:
        super().__init__(top)
        self.first, self.second = Provider(), Provider()
        self.gateways_file = top / "gateways.toml"
        self.gateways_file.write_text(self.first.describe("first") + self.second.describe("second"))

    def stop(self) -> None:
        """Stop everything; nothing is left behind."""
        super().stop()
        self.first.stop()
        self.second.stop()

    def begin(self) -> None:
        """Mended and empty, as at the start of a test."""
        for provider in (self.first, self.second):
            provider.always(None)
            provider.says()
        self.mend()
        self.reset()
        for provider in (self.first, self.second):
            for log in (provider.requests, provider.accepted, provider.asked):
                log.clear()

    def taken(self) -> Counter[str]:
        """How often each message was taken, by our reference, whoever took it."""
        return self.first.references() + self.second.references()

    def report(self) -> None:
        """Report everything taken as delivered, where each message said."""
        for message in (*self.first.accepted, *self.second.accepted):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{message['callback']}&word=DELIVRD", timeout=5):
                pass

    def finish(self, seconds: float = 60) -> None:
        """Let all waits be over until every message has ended."""

        def is_done() -> bool:
            self.do("UPDATE message SET next_attempt_at = clock_timestamp() WHERE state IN ('pending', 'unknown')")
            self.report()
            return not self.number(OPEN)

        self.wait_until(is_done, "the end of every message", seconds)

    def _environment(self, smtp_port: int) -> dict[str, str]:
        return {
            **super()._environment(smtp_port),
            "SMS_GATEWAYS_FILE": str(self.gateways_file),
            "PROVIDER_TOKEN": TOKEN,
        }


@pytest.fixture(scope="module")
def _two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoGateways]:
    two = TwoGateways(tmp_path_factory.mktemp("two"))
    try:
        two.start()
        yield two
    finally:
        two.stop()


@pytest.fixture
def two(_two: TwoGateways) -> TwoGateways:
    _two.begin()
    return _two


def test_an_empty_account_stops_its_queue_alarms_and_the_other_takes_over(
    two: TwoGateways, form: Form, findings: Findings
) -> None:
    count = form.of(60, 3000)
    two.first.always(pv.NO_BALANCE)
    two.messages(count)
    two.wait_until(lambda: len(two.second.accepted) >= count, "all by the other gateway", form.of(30, 300))
    probes, before = len(two.first.requests), len(two.second.accepted)
    two.second.always(pv.NO_BALANCE)
    two.messages(count, "later")
    two.wait_until(lambda: two.health()[0] == 503, "an alarm that nobody can send", 30)
    time.sleep(2)
    waiting = two.number(OPEN + " AND state = 'pending'")
    for provider in (two.first, two.second):
        provider.always(None)
    with two.session() as session:
        from grm.kernel import clock

        for name in ("first", "second"):  # `flask delivery resume` after paying
            breaker.resume(session, "sms", name, clock.now(session))
    two.finish(form.of(60, 600))
    taken = two.taken()
    twice = sum(1 for times in taken.values() if times > 1)
    findings.add(
        18, f"no balance, {2 * count} messages", lost=2 * count - len(taken), twice=twice, calls_to_the_empty=probes
    )
    assert probes <= 16, "every message tried the empty account"
    assert (before, waiting) == (count, count), "sent, or given up, without money"
    assert len(taken) == 2 * count and set(taken.values()) == {1}


def test_lost_answers_stay_with_their_gateway_and_are_asked_for_while_workers_are_killed(
    two: TwoGateways, form: Form, findings: Findings
) -> None:
    count, kills, chance = form.of(150, 4000), form.of(3, 40), form.chance("failover")
    kinds = (pv.TAKEN, pv.TAKEN_THEN_CUT, pv.CUT, pv.BROKEN, pv.THROTTLED, pv.NO_BALANCE)
    two.first.says(*chance.choices(kinds, (20, 4, 3, 2, 1, 1), k=count))
    two.second.says(*chance.choices(kinds, (20, 4, 3, 2, 0, 0), k=count))
    two.messages(count)
    for number in range(kills):
        time.sleep(chance.uniform(0.3, 0.9))
        worker = two.workers[number % 2]
        worker.kill()
        worker.start()
    two.do("DELETE FROM heartbeat WHERE name LIKE 'delivery.%%'")  # an empty account would be probed once a minute
    ends = time.monotonic() + form.of(45, 600)
    while two.number(OPEN) and time.monotonic() < ends:
        two.do("UPDATE message SET next_attempt_at = clock_timestamp() WHERE state IN ('pending', 'unknown')")
        two.do("DELETE FROM heartbeat WHERE name LIKE 'delivery.%%'")
        two.report()
        time.sleep(0.3)
    taken, asked = two.taken(), len(two.first.asked) + len(two.second.asked)
    lost_answers = two.number("SELECT count(*) FROM attempt WHERE outcome = 'unknown' OR outcome IS NULL")
    both = two.first.references().keys() & two.second.references().keys()
    twice = sum(1 for times in taken.values() if times > 1)
    injected = f"two gateways failing at random, {kills} workers killed, {count} messages"
    findings.add(19, injected, lost=count - len(taken), twice=twice, answers_lost=lost_answers, asked=asked)
    assert two.number(OPEN) == 0
    assert not both, "a message whose answer was lost went to the other gateway too"
    assert len(taken) == count and set(taken.values()) == {1}, "asked first, nothing is lost and nothing sent twice"
    assert lost_answers >= 5 and asked >= 5
