"""Every user-visible text has its Bangla, nothing is translated that nobody shows, and placeholders agree."""

import re
from functools import cache
from pathlib import Path

import wtforms
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "lazy": None}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
WTFORMS = Path(wtforms.__file__).parent
Message = str | tuple[str, ...]


@cache
def shown() -> dict[Message, str]:
    """Every marked text of the code and the templates, with a place where it stands."""
    found: dict[Message, str] = {}
    sources = [(path, "python") for path in (ROOT / "grm").rglob("*.py")]
    # WTForms' own messages are shown by our forms.
    sources += [(path, "python") for path in WTFORMS.rglob("*.py")]
    sources += [(path, "jinja2.ext:babel_extract") for path in (ROOT / "templates").rglob("*.html")]
    for path, method in sources:
        options = {"trimmed": "true"} if method != "python" else {}
        for line, message, _comments, _context in extract_from_file(method, path, KEYWORDS, options=options):
            if message:
                found[message] = (
                    f"{path.name}:{line}" if WTFORMS in path.parents else f"{path.relative_to(ROOT)}:{line}"
                )
    return found


@cache
def translated() -> dict[Message, tuple[Message, str]]:
    """Every translation with the file it stands in."""
    found: dict[Message, tuple[Message, str]] = {}
    for path in sorted((ROOT / "grm/translations/bn").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="bn"):
                if message.id:
                    before, file_before = found.get(message.id, (message.string, ""))
                    assert before == message.string, f"{message.id!r} differs between {file_before} and {path.name}"
                    found[message.id] = (message.string, path.name)
    return found


def test_every_text_has_its_bangla() -> None:
    missing = {
        place: message
        for message, place in shown().items()
        if not any(translated().get(message, ("",))[0]) and place.startswith(("grm/", "templates/"))
    }
    assert not missing


def test_nothing_is_translated_in_vain() -> None:
    unused = {message: file for message, (_, file) in translated().items() if message not in shown()}
    assert not unused


def test_placeholders_agree() -> None:
    for message, (string, file) in translated().items():
        originals = message if isinstance(message, tuple) else (message,)
        strings = string if isinstance(string, tuple) else (string,)
        expected = set(PLACEHOLDER.findall(originals[-1]))
        for translation in strings:
            used = set(PLACEHOLDER.findall(translation))
            # Some of WTForms' messages name a field by its code name, which a reader of Bangla is better spared.
            is_ours = shown().get(message, "").startswith(("grm/", "templates/"))
            assert used == expected or (used < expected and not is_ours), (file, message)


def test_bangla_is_in_bangla() -> None:
    """A text with no Bangla letter in its translation was forgotten, unless it is a name or a code."""
    for message, (string, file) in translated().items():
        for translation in string if isinstance(string, tuple) else (string,):
            assert re.search("[ঀ-৿]", translation) or len(translation) <= 4, (file, message)
