"""The fault rig, started once for all tests that want it, whole and empty at the start of each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from tests.support.fault_table import form_of, note_second_try
from tests.support.faults import FaultRig


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """In the short form, try a fault test that fails once more; the first failure is printed whole at the end.

    It shares two cores with the rest of the suite, and some faults need the machine to be on time. The long form never
    tries twice: what fails there has failed.
    """
    if item.path.parent != Path(__file__).parent or form_of(item.config).is_long:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    failures = "\n".join(report.longreprtext for report in reports if report.failed)
    if failures:
        item.user_properties.clear()
        note_second_try(item, failures)
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.fixture(scope="package")
def _running_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultRig]:
    rig = FaultRig(tmp_path_factory.mktemp("faults"))
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()


@pytest.fixture
def rig(_running_rig: FaultRig) -> Iterator[FaultRig]:
    """The running system: mended, with an empty ledger."""
    _running_rig.mend()
    _running_rig.reset()
    yield _running_rig
    _running_rig.mend()
