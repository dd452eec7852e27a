"""Sound recordings without what recorders and shops write into them: names, places, times, pictures. Pure.

Nothing is decoded. Of formats made of frames (MP3, AAC, AMR) only the frames are kept; of WAV the format and the samples; in
M4A and Ogg the parts that hold remarks are blanked where they stand, so that every offset stays right.
"""

from collections.abc import Callable, Iterator

from grm.files import kinds
from grm.files.kinds import Kind, Refused, tag_length

_LEAST_SOUND = 0.5
"""What share of a file must be frames: less is no recording, or one that was damaged on the way."""


def clean(data: bytes, kind: Kind) -> bytes:
    """The recording without remarks. Raises `Refused`: `damaged`, or `video` for moving pictures."""
    try:
        return _CLEANERS[kind](data)
    except (IndexError, ValueError) as error:
        raise Refused("damaged") from error


# --- frames: MP3, AAC, AMR ------------------------------------------------------------------------------------------


def _frames(data: bytes, start: int, length_at: Callable[[bytes, int], int]) -> bytes:
    """All frames from `start`, without what lies between or after them."""
    kept: list[bytes] = []
    at, end = start, len(data)
    while at < end:
        length = length_at(data, at)
        if length and at + length <= end and (at + length == end or length_at(data, at + length) or kept):
            kept.append(data[at : at + length])
            at += length
        else:
            at = _next_sync(data, at + 1)
    sound = b"".join(kept)
    if len(kept) < 3 or len(sound) < _LEAST_SOUND * (end - start):
        raise Refused("damaged")
    return sound


def _next_sync(data: bytes, at: int) -> int:
    found = data.find(b"\xff", at)
    return found if found >= 0 else len(data)


_BITRATES = {  # kbit/s by (is MPEG 1, layer)
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def _mp3_length(data: bytes, at: int) -> int:
    """How long the MPEG audio frame is that begins here (ISO 11172-3, 2.4.2.3); 0 where none does."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bitrate, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return 0
    bits, per_second = _BITRATES[version == 3, layer][bitrate - 1] * 1000, _RATES[version][rate]
    if layer == 1:
        return (12 * bits // per_second + padding) * 4
    samples = 72 if layer == 3 and version != 3 else 144
    return samples * bits // per_second + padding


def _aac_length(data: bytes, at: int) -> int:
    """The same for ADTS (ISO 13818-7, 6.2)."""
    head = data[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length >= 7 else 0


_AMR_BYTES = (13, 14, 16, 18, 20, 21, 27, 32, 6, 6, 6, 6, 0, 0, 1, 1)
_AMR_WB_BYTES = (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 6, 0, 0, 0, 1, 1)


def _amr(magic: bytes, sizes: tuple[int, ...]) -> Callable[[bytes], bytes]:
    def clean_amr(data: bytes) -> bytes:
        """Frames whose first byte says their length (RFC 4867, 5.3); what follows the last whole one is left out."""
        at, end = len(magic), len(data)
        while at < end and (size := 0 if data[at] & 0x83 else sizes[data[at] >> 3 & 15]) and at + size <= end:
            at += size
        if at < _LEAST_SOUND * end or at == len(magic):
            raise Refused("damaged")
        return data[:at]

    return clean_amr


# --- WAV ------------------------------------------------------------------------------------------------------------


def _wav(data: bytes) -> bytes:
    """Format and samples (RIFF chunks `fmt ` and `data`); lists of remarks, cue points and the like are left out."""
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        found.setdefault(name, data[at + 8 : at + 8 + size])  # a recorder that was cut off says more than there is
        at += 8 + size + (size & 1)
    if len(found.get(b"fmt ", b"")) < 16 or not found.get(b"data"):
        raise Refused("damaged")
    chunks = b"".join(
        name + len(found[name]).to_bytes(4, "little") + found[name] + b"\0" * (len(found[name]) & 1)
        for name in (b"fmt ", b"data")
    )
    return b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WAVE" + chunks


# --- M4A ------------------------------------------------------------------------------------------------------------

_FOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf"}
_KEPT = _FOLDERS | {
    *(b"ftyp", b"mdat", b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"smhd", b"dref", b"elst", b"stsd", b"stts", b"stsc"),
    *(b"stsz", b"stz2", b"stco", b"co64", b"stss", b"ctts", b"sgpd", b"sbgp", b"mvex", b"moof", b"sidx"),
}
_DATED = {b"mvhd", b"tkhd", b"mdhd"}
_DEEPEST = 8


def _m4a(data: bytes) -> bytes:
    """The boxes that playing needs (ISO 14496-12); all others are renamed `free` and blanked, and times of recording too."""
    out = bytearray(data)
    seen = set()
    for name, at, end in _boxes(data, 0, len(data), 0):
        seen.add(name)
        if name == b"hdlr" and data[at + 8 : at + 12] == b"vide":
            raise Refused("video")
        if name in _DATED:
            width = 16 if data[at] == 1 else 8
            out[at + 4 : at + 4 + width] = bytes(width)
        elif name == b"hdlr":
            out[at + 24 : end] = bytes(end - at - 24)  # the name that a recorder gives its track
        elif name not in _KEPT:
            out[at - 4 : at] = b"free"
            out[at:end] = bytes(end - at)
    if not {b"ftyp", b"moov", b"mdat", b"hdlr"} <= seen:
        raise Refused("damaged")
    return bytes(out)


def _boxes(data: bytes, at: int, end: int, depth: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin of the content and end of every box, those inside folders too."""
    while at < end:
        size, name, begin = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], at + 8
        if size == 1:  # its length follows in eight bytes: only sound samples are ever so long
            size, begin = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
            if name != b"mdat":
                raise Refused("damaged")
        elif size == 0:
            size = end - at
        if size < begin - at or at + size > end or depth > _DEEPEST:
            raise Refused("damaged")
        yield name, begin, at + size
        if name in _FOLDERS:
            yield from _boxes(data, begin, at + size, depth + 1)
        at += size


# --- Ogg ------------------------------------------------------------------------------------------------------------


def _ogg(data: bytes) -> bytes:
    """Opus, Vorbis or Speex; in the second packet of each stream, which holds the remarks, all is blanked (RFC 7845, 5.2).

    The packet keeps its length: one long name of the maker, made of blanks, and no remark.
    """
    out, packets, comment = bytearray(data), dict[bytes, int](), dict[bytes, list[int]]()
    pages, at = list[tuple[int, int]](), 0
    while at + 27 <= len(data) and data[at : at + 4] == b"OggS":
        lacing = data[at + 27 : at + 27 + data[at + 26]]
        body, stream = at + 27 + len(lacing), data[at + 14 : at + 18]
        end = body + sum(lacing)
        if end > len(data):
            break  # a recording that was cut off ends with its last whole page
        if stream not in packets and not data[body : body + 8].startswith((b"OpusHead", b"\x01vorbis", b"Speex   ")):
            raise Refused("video" if data[body : body + 7] in (b"\x80theora", b"BBCD\0\0\0") else "damaged")
        for length in lacing:
            if packets.get(stream, 0) == 1:
                comment.setdefault(stream, []).extend(range(body, body + length))
            packets[stream] = packets.get(stream, 0) + (length < 255)
            body += length
        pages.append((at, end))
        at = end
    if not pages or min(packets.values()) < 3:
        raise Refused("damaged")
    for places in comment.values():
        for place, byte in zip(places, _blank_comment(bytes(data[place] for place in places)), strict=True):
            out[place] = byte
    for begin, end in pages:
        if any(places[0] < end and begin <= places[-1] for places in comment.values()):
            out[begin + 22 : begin + 26] = bytes(4)
            out[begin + 22 : begin + 26] = _crc(out[begin:end]).to_bytes(4, "little")
    return bytes(out[: pages[-1][1]])


def _blank_comment(packet: bytes) -> bytes:
    head, frame = b"", b""
    if packet.startswith(b"OpusTags"):
        head = b"OpusTags"
    elif packet.startswith(b"\x03vorbis"):
        head, frame = b"\x03vorbis", b"\x01"
    maker = len(packet) - len(head) - 8 - len(frame)
    if maker < 0:
        raise Refused("damaged")
    return head + maker.to_bytes(4, "little") + b" " * maker + bytes(4) + frame


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        table.append(value)
    return tuple(table)


_CRC = _crc_table()


def _crc(page: bytes | bytearray) -> int:
    """The checksum of an Ogg page (RFC 3533, 6)."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return value


def _framed(length_at: Callable[[bytes, int], int]) -> Callable[[bytes], bytes]:
    return lambda data: _frames(data, tag_length(data), length_at)


_CLEANERS: dict[Kind, Callable[[bytes], bytes]] = {
    kinds.MP3: _framed(_mp3_length),
    kinds.AAC: _framed(_aac_length),
    kinds.AMR: _amr(b"#!AMR\n", _AMR_BYTES),
    kinds.AMR_WB: _amr(b"#!AMR-WB\n", _AMR_WB_BYTES),
    kinds.WAV: _wav,
    kinds.M4A: _m4a,
    kinds.OGG: _ogg,
}
