"""Which kind of file is this? Told by its content alone: names and what a browser says are claims. Pure.

What is not in `KINDS` is not taken, and neither is a file that is two things at once: a picture that a browser reads as a
page, or that an unpacker reads as an archive.
"""

import re
from dataclasses import dataclass


class Refused(Exception):
    """A file that is not taken; `code` says why (the words are in `grm/cases/attachment_wording.py`)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that is taken: its media type, the ending of its name, and how it is cleaned."""

    media_type: str
    extension: str
    family: str
    """`picture`, `document` or `sound`."""


JPEG = Kind("image/jpeg", "jpg", "picture")
PNG = Kind("image/png", "png", "picture")
PDF = Kind("application/pdf", "pdf", "document")
MP3 = Kind("audio/mpeg", "mp3", "sound")
M4A = Kind("audio/mp4", "m4a", "sound")
AAC = Kind("audio/aac", "aac", "sound")
OGG = Kind("audio/ogg", "ogg", "sound")
AMR = Kind("audio/amr", "amr", "sound")
AMR_WB = Kind("audio/amr-wb", "awb", "sound")
WAV = Kind("audio/wav", "wav", "sound")

KINDS = (JPEG, PNG, PDF, MP3, M4A, AAC, OGG, AMR, AMR_WB, WAV)
BY_MEDIA_TYPE = {kind.media_type: kind for kind in KINDS}
ACCEPT = "image/jpeg,image/png,application/pdf,audio/*"
"""For the `accept` of a file field: a hint to the device (an iPhone then hands over a JPEG), no check."""

_PDF = re.compile(rb"%PDF-(1\.[0-7]|2\.0)")
_OTHER_LANGUAGE = re.compile(rb"<(!doctype|html|head|body|script|svg|iframe|\?php|%)", re.IGNORECASE)
_HEAD = 2048
_END_OF_ARCHIVE = b"PK\x05\x06"
_LONGEST_ARCHIVE_END = 22 + 0xFFFF


def sniff(data: bytes) -> Kind:
    """The kind of a file. Raises `Refused`: `empty`, `unknown-kind`, or `mixed` for one that is another thing as well."""
    if not data.strip(b"\0"):
        raise Refused("empty")
    kind = _kind(data)
    if kind is None:
        raise Refused("unknown-kind")
    if _OTHER_LANGUAGE.search(data[:_HEAD]) or _is_archive(data):
        raise Refused("mixed")
    return kind


def _kind(data: bytes) -> Kind | None:
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if _PDF.match(data):
        return PDF
    if data.startswith(b"OggS"):
        return OGG
    if data.startswith(b"#!AMR-WB\n"):
        return AMR_WB
    if data.startswith(b"#!AMR\n"):
        return AMR
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return WAV
    if data[4:8] == b"ftyp":
        return M4A
    return _kind_of_frames(data)


def _kind_of_frames(data: bytes) -> Kind | None:
    """MPEG sound has no signature, only frames one after another, often with a tag before them."""
    start = data[tag_length(data) :][:2]
    if len(start) < 2 or start[0] != 0xFF:
        return None
    if start[1] & 0xF6 == 0xF0:
        return AAC
    return MP3 if start[1] & 0xE6 == 0xE2 and start[1] & 0x18 != 0x08 else None


def tag_length(data: bytes) -> int:
    """How many bytes an ID3v2 tag at the beginning takes; 0 without one."""
    if data[:3] != b"ID3" or len(data) < 10 or any(byte & 0x80 for byte in data[6:10]):
        return 0
    a, b, c, d = data[6:10]
    return 10 + (a << 21 | b << 14 | c << 7 | d) + (10 if data[5] & 0x10 else 0)


def _is_archive(data: bytes) -> bool:
    """Whether an unpacker would find a ZIP archive at the end: its last record fits exactly up to the last byte."""
    tail = data[-_LONGEST_ARCHIVE_END:]
    at = tail.rfind(_END_OF_ARCHIVE)
    return at >= 0 and len(tail) - at >= 22 and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") <= len(tail)
