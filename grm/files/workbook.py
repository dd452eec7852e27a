"""Writing Excel files: through a folder that only this process can read, and not through memory; no text becomes a formula, a
number or a link."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any


@contextmanager
def new_workbook(out: IO[bytes]) -> Iterator[Any]:
    """A workbook to be filled row by row; once it is, it is written to `out`."""
    from xlsxwriter import Workbook  # not at start-up: few processes ever write one

    with tempfile.TemporaryDirectory(prefix="grm-workbook-") as folder:
        path = Path(folder) / "table.xlsx"
        as_text = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
        with Workbook(str(path), {"constant_memory": True, "tmpdir": folder, **as_text}) as book:
            yield book
        with path.open("rb") as made:
            copyfileobj(made, out)
