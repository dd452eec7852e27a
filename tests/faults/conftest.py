"""The fault rig, started once for all tests that want it, whole and empty at the start of each."""

from collections.abc import Iterator

import pytest

from tests.support.faults import FaultRig


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
