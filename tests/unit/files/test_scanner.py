"""Asking the scanner, over both kinds of address; whatever is no verdict means that nobody has looked at the file."""

from pathlib import Path

import pytest

from grm.files.scanner import ScannerAway, scan
from tests.support.clamd import INFECTED, running_clamd


@pytest.mark.parametrize("is_socket", [True, False])
def test_the_verdict_of_the_scanner(tmp_path: Path, is_socket: bool) -> None:
    with running_clamd(tmp_path / "clamd.sock" if is_socket else None) as clamd:
        data = bytes(200_000)
        assert scan(clamd.url, data) == "" and clamd.seen == [data]
        assert scan(clamd.url, data + INFECTED) == "Test.GRM.UNOFFICIAL"
        for unwell in (b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: \0", b"OK\0", b"x" * 9000):
            clamd.scripted = unwell
            with pytest.raises(ScannerAway):
                scan(clamd.url, data)
    with pytest.raises(ScannerAway):
        scan(clamd.url, data, 1.0)
