"""Files as people hand them in, made here: each real enough for a program that opens it, with a canary in every remark."""

import io
import struct
import wave
import zlib
from collections.abc import Callable

import pikepdf
from PIL import Image, PngImagePlugin

CANARY = "Canary-Rahima-01712345678"
_LATITUDE = (23.0, 48.0, 37.12)


def pixels(width: int = 60, height: int = 40) -> Image.Image:
    """A picture whose top left quarter is red, so that one sees how it lies."""
    picture = Image.new("RGB", (width, height), "white")
    picture.paste((200, 0, 0), (0, 0, width // 2, height // 2))
    return picture


def jpeg(width: int = 60, height: int = 40, orientation: int = 1) -> bytes:
    """A photo with camera, place and time of taking, a remark, and how the camera was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = exif[0x013B] = CANARY
    exif.get_ifd(0x8769)[0x9003] = "2026:01:04 10:00:00"
    exif.get_ifd(0x8769)[0x927C] = CANARY.encode()
    exif.get_ifd(0x8825).update({1: "N", 2: _LATITUDE, 3: "E", 4: (90.0, 24.0, 45.5)})
    out = io.BytesIO()
    pixels(width, height).save(out, "JPEG", exif=exif, comment=CANARY.encode(), quality=95)
    return out.getvalue()


def png() -> bytes:
    """A picture with texts in it."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", CANARY)
    texts.add_itxt("XML:com.adobe.xmp", f"<x>{CANARY}</x>", zip=True)
    out = io.BytesIO()
    pixels().save(out, "PNG", pnginfo=texts, dpi=(72, 72))
    return out.getvalue()


def pdf(*, script: bool = False, launch: bool = False, inside: bool = False, password: str = "") -> bytes:
    """One page with author and XMP; on wish with what acts by itself."""
    with pikepdf.new() as made:
        made.add_blank_page(page_size=(200, 200))
        made.docinfo["/Author"] = CANARY
        with made.open_metadata() as remarks:
            remarks["dc:creator"] = [CANARY]
        if script:
            made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=f"app.alert('{CANARY}')")
        if launch:
            action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="calc.exe")
            note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=action)
            made.pages[0].Annots = pikepdf.Array([note])
        if inside:
            made.attachments["secret.exe"] = CANARY.encode()
        out = io.BytesIO()
        locked = pikepdf.Encryption(owner=password, user=password) if password else None
        made.save(out, encryption=locked, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        return out.getvalue()


def _id3() -> bytes:
    text = b"\x03" + CANARY.encode()
    frame = b"TIT2" + struct.pack(">I", len(text)) + b"\0\0" + text
    return b"ID3\x04\0\0" + bytes([0, 0, len(frame) >> 7, len(frame) & 127]) + frame


def mp3() -> bytes:
    """Ten frames of 64 kbit/s with a tag before and after them."""
    frame = bytes([0xFF, 0xFB, 0x50, 0xC4]) + bytes(204)
    return _id3() + frame * 10 + b"TAG" + CANARY.encode().ljust(125, b"\0")


def aac() -> bytes:
    """ADTS frames of 100 bytes."""
    length = 100
    head = bytes([0xFF, 0xF1, 0x50, 0x80 | length >> 11, length >> 3 & 255, (length & 7) << 5 | 0x1F, 0xFC])
    return _id3() + (head + bytes(length - 7)) * 10


def amr() -> bytes:
    """Frames of 12.2 kbit/s, and something behind them."""
    return b"#!AMR\n" + (bytes([0x3C]) + bytes(31)) * 10 + CANARY.encode()


def wav(length: int = 1600) -> bytes:
    """A tenth of a second (or so many bytes), with a list of remarks behind it."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(length))
    text = CANARY.encode().ljust(32, b"\0")
    remarks = b"LIST" + struct.pack("<I", 12 + len(text)) + b"INFOIART" + struct.pack("<I", len(text)) + text
    whole = out.getvalue()[8:] + remarks
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


def box(name: bytes, *parts: bytes) -> bytes:
    """A box of an MP4 file."""
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + name + content


def m4a(handler: bytes = b"soun") -> bytes:
    """The boxes of a recording, with names, a place and the time of taking."""
    taken = struct.pack(">II", 3_800_000_000, 3_800_000_001)
    hdlr = box(b"hdlr", bytes(8), handler, bytes(12), CANARY.encode() + b"\0")
    track = box(
        b"trak", box(b"tkhd", bytes(4), taken, bytes(72)), box(b"mdia", box(b"mdhd", bytes(4), taken, bytes(8)), hdlr)
    )
    remarks = box(b"udta", box(b"\xa9xyz", CANARY.encode()), box(b"meta", bytes(4), CANARY.encode()))
    return b"".join(
        (
            box(b"ftyp", b"M4A \0\0\0\0M4A mp42"),
            box(b"moov", box(b"mvhd", bytes(4), taken, bytes(88)), track, remarks),
            box(b"uuid", bytes(16), CANARY.encode()),
            box(b"mdat", bytes(range(256)) * 4),
        )
    )


def ogg_page(kind: int, number: int, *packets: bytes) -> bytes:
    """One page with its right checksum, reckoned here bit by bit."""
    lacing = b"".join(bytes([255]) * (len(each) // 255) + bytes([len(each) % 255]) for each in packets)
    head = b"OggS\0" + bytes([kind]) + bytes(8) + b"GRM1" + struct.pack("<I", number)
    body = bytes([len(lacing)]) + lacing + b"".join(packets)
    return head + struct.pack("<I", ogg_checksum(head + bytes(4) + body)) + body


def ogg_checksum(page: bytes) -> int:
    """The checksum of a page whose own field is zero."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if value >> 31 else value << 1
    return value


def opus() -> bytes:
    """An Opus recording with two pages of sound and a remark longer than one lacing value."""
    maker, remark = b"libopus", f"TITLE={CANARY}".encode() + b"." * 300
    tags = b"OpusTags" + struct.pack("<I", len(maker)) + maker + struct.pack("<II", 1, len(remark)) + remark
    head = b"OpusHead\x01\x01" + struct.pack("<HIHB", 312, 48000, 0, 0)
    return ogg_page(2, 0, head) + ogg_page(0, 1, tags) + ogg_page(0, 2, bytes(80)) + ogg_page(4, 3, bytes(90))


ALL: dict[str, Callable[[], bytes]] = {
    "image/jpeg": jpeg,
    "image/png": png,
    "application/pdf": lambda: pdf(script=True, launch=True, inside=True),
    "audio/mpeg": mp3,
    "audio/aac": aac,
    "audio/amr": amr,
    "audio/wav": wav,
    "audio/mp4": m4a,
    "audio/ogg": opus,
}
"""One file of each kind that is taken, by media type."""


def png_of(width: int, height: int) -> bytes:
    """A PNG that says it has so many pixels, in a few bytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width // 8)) * height, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
