"""Makes one picture or PDF anew, without what must not travel with it. Runs as a program of its own, see `cleaning.py`:
what a file does to the decoder stays in here, within limits of memory and time.

    python -I grm/files/scrubber.py picture|document  < file  > {"taken_out": […]} NEWLINE clean file

Ends with 3 and a code on stdout where the file is refused. Imports nothing of grm.
"""

import json
import resource
import sys
from io import BytesIO
from typing import Any

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 15
MOST_PIXELS = 40_000_000
"""Of a picture; said in its first bytes, and checked before anything is unpacked."""
LONGEST_SIDE = 4096
"""Larger pictures are made smaller: a page of text stays readable at far less."""
JPEG_QUALITY = 85
REFUSED = 3

_ACTIVE = (
    "/JavaScript",
    "/Launch",
    "/SubmitForm",
    "/ImportData",
    "/GoToE",
    "/Rendition",
    "/Movie",
    "/Sound",
    "/RichMediaExecute",
)
_ACTIVE_KEYS = ("/AA", "/OpenAction", "/JS", "/EF", "/XFA", "/RichMediaContent")
_REMARKS = ("/Metadata", "/PieceInfo", "/LastModified", "/Thumb")
_ACTIVE_NOTES = ("/RichMedia", "/Screen", "/Movie", "/Sound", "/3D", "/FileAttachment")


class Refused(Exception):
    """A file that is not taken."""


def picture(data: bytes) -> tuple[bytes, list[str]]:
    """Decode a JPEG or PNG and write its pixels anew: no EXIF, place, remark, profile or thumbnail is left. Turned as the
    camera said."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # our own limit comes first, and says so
    try:
        image: Any = Image.open(BytesIO(data), formats=("JPEG", "PNG"))
        kind = image.format
        if image.width * image.height > MOST_PIXELS:
            raise Refused("too-many-pixels")
        if kind == "JPEG":
            image.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
        image.load()
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        image = ImageOps.exif_transpose(image)
        image = image.convert(_mode(image, kind))
        clean = Image.frombytes(image.mode, image.size, image.tobytes())
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refused("damaged") from error
    out = BytesIO()
    if kind == "JPEG":
        clean.save(out, "JPEG", quality=JPEG_QUALITY, optimize=True)
    else:
        clean.save(out, "PNG", optimize=False)
    return out.getvalue(), []


def _mode(image: Any, kind: str) -> str:
    if kind == "JPEG":
        return "L" if image.mode == "L" else "RGB"
    if image.mode in ("1", "L", "LA", "RGB", "RGBA"):
        return str(image.mode)
    return "RGBA" if "transparency" in image.info else "RGB"


def document(data: bytes) -> tuple[bytes, list[str]]:
    """Write a PDF anew from its pages: author, dates and remarks are left out, and whatever acts by itself: scripts, programs
    to start, forms that send, files inside."""
    import pikepdf

    try:
        with pikepdf.open(BytesIO(data)) as pdf:
            if not len(pdf.pages):
                raise Refused("damaged")
            taken_out = _quieten(pdf, pikepdf)
            if "/Info" in pdf.trailer:
                del pdf.trailer["/Info"]
            out = BytesIO()
            pdf.save(out, deterministic_id=True, fix_metadata_version=False)
            return out.getvalue(), sorted(taken_out)
    except pikepdf.PasswordError as error:
        raise Refused("locked") from error
    except (pikepdf.PdfError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise Refused("damaged") from error


def _quieten(pdf: Any, pikepdf: Any) -> set[str]:
    taken_out: set[str] = set()
    for key in ("/Collection", "/AF"):
        if key in pdf.Root:
            del pdf.Root[key]
            taken_out.add("files")
    names = pdf.Root.get("/Names")
    if names is not None:
        for key, what in (("/JavaScript", "scripts"), ("/EmbeddedFiles", "files")):
            if key in names:
                del names[key]
                taken_out.add(what)
    for page in pdf.pages:
        notes = page.obj.get("/Annots")
        if isinstance(notes, pikepdf.Array):
            kept = [note for note in notes if not (_is_dict(note) and str(note.get("/Subtype")) in _ACTIVE_NOTES)]
            if len(kept) < len(notes):
                page.obj["/Annots"] = pikepdf.Array(kept)
                taken_out.add("files")
    for each in pdf.objects:
        _quieten_object(each, pikepdf, taken_out, 0)
    return taken_out


def _is_dict(thing: Any) -> bool:
    return hasattr(thing, "keys") and hasattr(thing, "get")


def _quieten_object(thing: Any, pikepdf: Any, taken_out: set[str], depth: int) -> None:
    if depth > 50:
        raise Refused("damaged")
    if isinstance(thing, pikepdf.Array):
        for each in thing:
            if not getattr(each, "is_indirect", False):
                _quieten_object(each, pikepdf, taken_out, depth + 1)
        return
    if not isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        return
    if str(thing.get("/S")) in _ACTIVE:
        for key in list(thing.keys()):
            del thing[key]
        thing["/S"] = pikepdf.Name("/Named")
        thing["/N"] = pikepdf.Name("/GoNowhere")
        taken_out.add("scripts")
        return
    for key in list(thing.keys()):
        if key in _ACTIVE_KEYS and (key != "/OpenAction" or not isinstance(thing[key], pikepdf.Array)):
            del thing[key]
            taken_out.add("files" if key == "/EF" else "scripts")
        elif key in _REMARKS:
            del thing[key]
        else:
            each = thing[key]
            if not getattr(each, "is_indirect", False):
                _quieten_object(each, pikepdf, taken_out, depth + 1)


def main(family: str) -> int:
    """Read, clean, write."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    data = sys.stdin.buffer.read()
    try:
        clean, taken_out = {"picture": picture, "document": document}[family](data)
    except Refused as refused:
        sys.stdout.write(str(refused))
        return REFUSED
    except (MemoryError, RecursionError):
        sys.stdout.write("too-much")
        return REFUSED
    sys.stdout.buffer.write(json.dumps({"taken_out": taken_out}).encode() + b"\n" + clean)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
