"""Files by their content: what is taken and what is not, and that nothing but the content is left in what is kept."""

import io
import struct
import time
from collections.abc import Callable

import pikepdf
import pytest
from PIL import Image

from grm.cases.attachment_names import clean_name, disposition
from grm.files.cleaning import clean
from grm.files.kinds import JPEG, PDF, Refused, sniff
from tests.support import files
from tests.support.files import CANARY, png_of

ZIP_END = b"PK\x05\x06" + bytes(18)
NOT_TAKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "empty"),
    "zeros": (lambda: bytes(500), "empty"),
    "page": (lambda: b"<!DOCTYPE html><script>alert(1)</script>", "unknown-kind"),
    "drawing": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "unknown-kind"),
    "php": (lambda: b"<?php system($_GET['x']);", "unknown-kind"),
    "program": (lambda: b"MZ\x90\0" + bytes(60), "unknown-kind"),
    "office": (lambda: b"PK\x03\x04" + bytes(60), "unknown-kind"),
    "gif with script": (lambda: b"GIF89a/*" + bytes(40) + b"*/=1;alert(1)", "unknown-kind"),
    "paper with a page before it": (lambda: b"<html>" + files.pdf(), "unknown-kind"),
    "paper and page": (lambda: b"%PDF-1.7\n%<script>alert(1)</script>\n" + files.pdf()[9:], "mixed"),
    "photo and archive": (lambda: files.jpeg() + ZIP_END, "mixed"),
    "cut photo": (lambda: files.jpeg()[:300], "damaged"),
    "photo in name only": (lambda: b"\xff\xd8\xff\xe0" + b"nothing of the kind" * 20, "damaged"),
    "paper in name only": (lambda: b"%PDF-1.4\nnothing of the kind", "damaged"),
    "locked paper": (lambda: files.pdf(password="x"), "locked"),
    "video": (lambda: files.m4a(b"vide"), "video"),
    "sound in name only": (lambda: b"\xff\xfb\x50\xc4" + bytes(5000), "damaged"),
    "bomb of pixels": (lambda: png_of(30_000, 30_000), "too-many-pixels"),
}


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_what_is_not_taken_is_refused_with_its_reason_and_at_once(name: str) -> None:
    make, code = NOT_TAKEN[name]
    data, begun = make(), time.monotonic()
    with pytest.raises(Refused) as refused:
        clean(data)
    assert refused.value.code == code
    assert time.monotonic() - begun < 2
    assert len(data) < 200_000


@pytest.mark.parametrize("media_type", files.ALL)
def test_what_is_kept_has_the_kind_of_its_content_and_no_remark(media_type: str) -> None:
    data = files.ALL[media_type]()
    kept = clean(data)
    assert sniff(data).media_type == kept.kind.media_type == sniff(kept.data).media_type == media_type
    for spelling in (CANARY.encode(), CANARY.encode("utf-16-le"), CANARY.encode("utf-16-be")):
        assert spelling not in kept.data
    assert clean(data).data == kept.data, "the same file is known again"
    if media_type != "image/jpeg":
        assert clean(kept.data).data == kept.data, "a file that was cleaned stays as it is"


def test_a_photo_keeps_how_it_lies_and_loses_place_and_camera() -> None:
    """Orientation 6: the camera was held upright; 60 x 40 become 40 x 60, and the red quarter is at the top right."""
    data = files.jpeg(orientation=6)
    before = Image.open(io.BytesIO(data))
    assert before.getexif().get_ifd(0x8825)[2] == (23.0, 48.0, 37.12) and before.info["comment"]
    kept = Image.open(io.BytesIO(clean(data).data))
    assert dict(kept.getexif()) == {} and set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert kept.size == (40, 60)
    assert kept.getpixel((35, 5))[0] > 150 > kept.getpixel((35, 5))[1]  # type: ignore[index]
    assert min(kept.getpixel((5, 55))) > 200  # type: ignore[type-var,arg-type]


def test_a_picture_keeps_its_pixels() -> None:
    kept = Image.open(io.BytesIO(clean(files.png()).data))
    assert kept.info == {} and kept.tobytes() == files.pixels().tobytes()


def test_a_large_photo_is_made_smaller() -> None:
    assert Image.open(io.BytesIO(clean(files.jpeg(6000, 3000)).data)).size == (4096, 2048)


def test_a_paper_keeps_its_pages_and_loses_what_acts_by_itself() -> None:
    kept = clean(files.pdf(script=True, launch=True, inside=True))
    assert kept.taken_out == ("files", "scripts")
    with pikepdf.open(io.BytesIO(kept.data)) as opened:
        assert len(opened.pages) == 1 and "/Info" not in opened.trailer and "/Metadata" not in opened.Root
        written = b"".join(each.unparse() for each in opened.objects)
    for word in (b"JavaScript", b"/JS", b"/Launch", b"calc.exe", b"/EmbeddedFile", b"/OpenAction"):
        assert word not in written
    plain = clean(files.pdf())
    assert plain.taken_out == ()


def test_sound_stays_the_same_sound() -> None:
    frame = bytes([0xFF, 0xFB, 0x50, 0xC4]) + bytes(204)
    assert clean(files.mp3()).data == frame * 10
    assert clean(files.amr()).data == files.amr().removesuffix(CANARY.encode())
    m4a = clean(files.m4a()).data
    assert len(m4a) == len(files.m4a()) and m4a.endswith(bytes(range(256)) * 4), "offsets stay right"
    assert struct.pack(">I", 3_800_000_000) not in m4a, "nor is it said when"


def test_the_pages_of_an_ogg_file_are_still_whole() -> None:
    data, kept = files.opus(), clean(files.opus()).data
    assert len(kept) == len(data)
    at = changed = 0
    while at < len(kept):
        end = at + 27 + kept[at + 26] + sum(kept[at + 27 : at + 27 + kept[at + 26]])
        page = kept[at:end]
        assert struct.unpack("<I", page[22:26])[0] == files.ogg_checksum(page[:22] + bytes(4) + page[26:])
        changed += page != data[at:end]
        at = end
    assert changed == 1, "only the page with the remarks"


NAMES = {
    "নথি.pdf": "নথি.jpg",
    "../../etc/passwd": "passwd.jpg",
    "C:\\Users\\Rahima\\ছবি ১.JPEG": "ছবি ১.jpg",
    "x.php\0.png": "x.php.jpg",
    "\u200b.htaccess": "htaccess.jpg",
    "CON": "",
    "aux.txt": "",
    "photo\u202egpj.exe": "photogpj.jpg",
    'a"b\r\nSet-Cookie: x=1;.jpg': "a bSet-Cookie x=1.jpg",
    "": "",
    " . ": "",
    "স্কুলের-উপবৃত্তি-নথি": "স্কুলের-উপবৃত্তি-নথি.jpg",
}


@pytest.mark.parametrize("given", NAMES)
def test_a_name_is_cleaned_first_and_judged_afterwards(given: str) -> None:
    assert clean_name(given, JPEG) == NAMES[given]


def test_a_long_name_is_cut_where_no_letter_breaks() -> None:
    name = clean_name("ক্ষুদ্র" * 60, PDF)
    assert len(name) <= 104 and name.endswith(".pdf") and not name.removesuffix(".pdf").endswith("্")


def test_the_header_that_names_a_file_is_ascii_and_one_line() -> None:
    header = disposition('নথি "১".pdf', "1234-1.pdf")
    assert header.isascii() and header.startswith("attachment; filename=\"1234-1.pdf\"; filename*=UTF-8''%E0%A6")
    assert "\n" not in header and '"১"' not in header
    assert disposition("letter.pdf", "1234-1.pdf").startswith('attachment; filename="letter.pdf"')
