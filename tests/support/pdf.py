"""What stands on the pages of a PDF file: its texts with their places, read back through the fonts' own tables."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pikepdf

_BLOCK = re.compile(rb"begin(bfchar|bfrange)(.*?)end", re.S)
_HEX = re.compile(rb"<([0-9A-Fa-f]+)>")


@dataclass(frozen=True)
class Written:
    """A line of text: where its baseline begins, where it ends, and how many glyphs it took."""

    page: int
    x: float
    y: float
    end: float
    text: str
    glyphs: int


def pages_of(data: bytes) -> list[list[Written]]:
    """The lines of every page."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return [list(_lines(number, page)) for number, page in enumerate(pdf.pages, 1)]


def _lines(number: int, page: Any) -> Iterator[Written]:
    fonts = {name: _Font(font) for name, font in page.Resources.Font.items()}
    font, size, x, y, at, text, glyphs = None, 0.0, 0.0, 0.0, 0.0, "", 0
    for operands, operator in pikepdf.parse_content_stream(page):
        match str(operator):
            case "BT":
                at, text, glyphs = 0.0, "", 0
            case "Td":
                x, y = (float(operand) for operand in operands)
            case "Tf":
                font, size = fonts[str(operands[0])], float(operands[1])
            case "TJ":
                assert font is not None
                for piece in operands[0]:
                    if isinstance(piece, pikepdf.String):
                        raw = bytes(piece)
                        for code in (int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)):
                            text += font.letters.get(code, "")
                            at += font.widths.get(code, 0.0) * size / 1000
                            glyphs += 1
                    else:
                        at -= float(piece) * size / 1000
            case "ET":
                yield Written(number, x, y, x + at, text, glyphs)


class _Font:
    def __init__(self, font: Any) -> None:
        self.letters: dict[int, str] = {}
        for kind, body in _BLOCK.findall(bytes(font.ToUnicode.read_bytes())):
            found = [bytes.fromhex(each.decode()) for each in _HEX.findall(body)]
            step = 2 if kind == b"bfchar" else 3
            for place in range(0, len(found), step):
                self.letters[int.from_bytes(found[place], "big")] = found[place + step - 1].decode("utf-16-be")
        self.widths: dict[int, float] = {}
        listed = list(font.DescendantFonts[0].W)
        while listed:
            first, second, *listed = listed
            if isinstance(second, pikepdf.Array):
                self.widths |= {int(first) + i: float(width) for i, width in enumerate(second)}
            else:
                self.widths |= dict.fromkeys(range(int(first), int(second) + 1), float(listed.pop(0)))
