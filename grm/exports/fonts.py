"""The fonts that PDF files are written with: Noto Sans Bengali, and Noto Sans for Latin letters, as the system has them.

None is part of this project, and none comes with a Python package: on Debian and Ubuntu `apt-get install fonts-noto-core` brings
both. Where they are missing, everything but PDF works, and /healthz says so.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy.orm import Session

from grm.kernel.errors import GrmError
from grm.web.health import Verdict

PACKAGE = "fonts-noto-core"
_FILES = {
    "bangla": ("NotoSansBengali-Regular.ttf", "NotoSansBengali-Bold.ttf"),
    "latin": ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf"),
}


class NoFonts(GrmError):
    """The machine has no Bangla font: no PDF file can be made."""

    default_code = "no-bangla-font"


@dataclass(frozen=True, slots=True)
class Fonts:
    """Where the font files lie."""

    bangla: Path
    bangla_bold: Path
    latin: Path
    latin_bold: Path


def find(folders: tuple[Path, ...]) -> Fonts:
    """The fonts in the first places that have them. Raises `NoFonts`. A missing bold one is replaced by the regular one."""
    wanted = {name for names in _FILES.values() for name in names}
    known: dict[str, Path] = {}
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in wanted.intersection(names):
                known.setdefault(name, Path(place) / name)
    (bangla, bangla_bold), (latin, latin_bold) = _FILES["bangla"], _FILES["latin"]
    if bangla not in known or latin not in known:
        raise NoFonts
    return Fonts(
        known[bangla], known.get(bangla_bold, known[bangla]), known[latin], known.get(latin_bold, known[latin])
    )


@lru_cache(1)
def fonts() -> Fonts:
    """The system's fonts, looked for once in each process, and again as long as they are missing. Raises `NoFonts`."""
    return find(tuple(_folders()))


def has_fonts() -> bool:
    """Whether PDF files can be made on this machine."""
    try:
        fonts()
    except NoFonts:
        return False
    return True


def fonts_health(_session: Session, _now: datetime) -> Verdict:
    """A check for /healthz: without fonts everything but PDF works, which may wait until the morning."""
    found = has_fonts()
    missing = f"no Bangla font: PDF files cannot be made until the package {PACKAGE} is installed"
    return Verdict(True, {"fonts": found}, () if found else (missing,))


def _folders() -> Iterator[Path]:
    """Where systems keep fonts (XDG Base Directory Specification, Fontconfig's defaults)."""
    yield Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "fonts"
    for place in (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
        yield Path(place) / "fonts"
