"""Stage 9: what must not be left anywhere is looked for everywhere.

Values that exist once in the world are typed into the real pages: one complainant gives all of them, another writes them
and stays anonymous. Messages go out through the gateway and the mail server. Then the database's dump, all keys of the broker,
every log, every mail and SMS, the stored files and all that lies in temporary folders are searched for each of them, as text,
in Bangla digits, and in the spellings in which programs hide a text. TABLE says where each may be found; there it must be
found, so that a search that sees nothing is no proof.
"""

import base64
import os
import re
import secrets
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from config import load_settings
from grm.engines import _postgres_binaries
from grm.kernel.crypto import _header_of, derive_key
from grm.kernel.places import embedded_places
from grm.kernel.text import bangla_digits
from tests.support.files import CANARY, jpeg
from tests.support.rig import Rig
from tests.support.web import Browser, Page

from .test_1_intake import codes

TABLE = """
what                    database sealed broker logs mail gateway files temp
control                 x        x      x      x    -    -       x     x
number                  x        -      -      -    -    x       -     -
phone                   -        x      -      -    -    x       -     -
email                   -        x      -      -    x    -       -     -
name                    -        x      -      -    -    -       -     -
nid                     -        x      -      -    -    -       -     -
secret                  -        -      -      -    -    -       -     -
otp                     -        -      -      -    -    x       -     -
file-name               -        x      -      -    -    -       -     -
metadata                -        -      -      -    -    -       -     -
anonymous-phone         -        -      -      -    -    -       -     -
anonymous-email         -        -      -      -    -    -       -     -
anonymous-name          -        -      -      -    -    -       -     -
anonymous-account       -        -      -      -    -    -       -     -
anonymous-secret        -        -      -      -    -    -       -     -
anonymous-file-name     -        -      -      -    -    -       -     -
anonymous-address       -        -      -      -    -    -       -     -
anonymous-forwarded     -        -      -      -    -    -       -     -
anonymous-agent         -        -      -      -    -    -       -     -
"""
"""x: it must be found there; -: it must not. `database` is the dump as a thief has it, `sealed` what its sealed values hold for
who has the keys. `number` is the public tracking number, `control` is planted. The mail server and the gateway get what is
addressed: only there do a phone, an address, or a code for one time stand in clear."""

PLACES = TABLE.split()[1:9]
MALFORMED = "GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked, {agent}\r\n\r\n"


def unique() -> str:
    """A word that stands nowhere else; no hexadecimal digits, so that no hash holds it."""
    return "".join(secrets.choice("ghjkmnpqrstvwxyz") for _ in range(12))


def digits(count: int) -> str:
    """Digits that stand nowhere else."""
    return "".join(secrets.choice("123456789") for _ in range(count))


@dataclass
class Canaries:
    """Each value by its name in TABLE. Phones and codes are noted as they are searched for: without what comes before."""

    values: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def spellings(self, name: str) -> Iterator[bytes]:
        """The value as a program may have written it down."""
        value = self.values[name]
        texts = {value, bangla_digits(value)}
        if name.endswith(("secret", "number")):
            texts.add("-".join((value[:4], value[4:8], value[8:])))
        for text in texts:
            raw = text.encode()
            yield raw
            yield raw.hex().encode()
            yield quote(text).encode()
            yield text.encode("unicode_escape")
            if len(raw) > 8:
                for shift in range(3):  # what stays the same wherever in a longer text it stands
                    yield base64.b64encode(bytes(shift) + raw)[4:-4]


@pytest.fixture(scope="module")
def canaries(rig: Rig) -> Canaries:
    """Everything typed, uploaded and delivered, from both complainants."""
    made = Canaries({name: unique() for name in ("control", "name", "anonymous-name", "anonymous-agent")})
    made.values |= {
        "phone": "17" + digits(8),
        "email": f"{unique()}@example.org",
        "nid": digits(17),
        "file-name": unique(),
        "metadata": CANARY,
        "anonymous-phone": "18" + digits(8),
        "anonymous-email": f"{unique()}@example.org",
        "anonymous-account": digits(14),
        "anonymous-file-name": unique(),
        "anonymous-address": f"127.{secrets.randbelow(90) + 100}.{secrets.randbelow(90) + 100}.{secrets.randbelow(90) + 100}",
        "anonymous-forwarded": f"203.0.113.{secrets.randbelow(90) + 100}",
    }
    identified(rig, made)
    anonymous(rig, made)
    at_the_desk(rig, made)
    rig.drain()
    return made


def file(browser: Browser, photo: str = "", **fields: str) -> tuple[str, str]:
    """File a complaint with everything at once, as a client may; its two codes."""
    form = browser.get("/complaints/new").form("programme").fill(programme="old-age-allowance", district="3026")
    given = {"category": "payment-not-received", "declaration": "1", "step": "send", **fields}
    form.values |= {name: [value] for name, value in given.items()}
    files = (("attachments", f"{photo}.jpg", jpeg()),) if photo else ()
    return codes(browser.submit(form, files=files))


def followed(browser: Browser, number: str, secret: str) -> Page:
    """The status page of a complaint."""
    form = browser.get("/track").form("secret").fill(tracking_number=number, secret=secret)
    page = browser.submit(form)
    assert number.replace("-", "") in page.text.replace("-", ""), page.text[:300]
    return page


def asked(rig: Rig, number: str) -> None:
    """The GRO asks the complainant something."""
    gro = rig.officer("gro.social-welfare")
    page = gro.get(f"/cases/{number}")
    assert gro.submit(page.form(action="ASK").fill(question="কোন মাসের টাকা?")).status == 200


def identified(rig: Rig, made: Canaries) -> None:
    """Who gives a name: files a correction with a photo, loses the code and gets in by SMS; another wants e-mail."""
    person = {"name": made["name"], "phone": f"০{bangla_digits(made['phone'])}", "preferred_channel": "sms"}
    correction = {"category": "data-correction", "correct_what": "nid", "correct_to": made["nid"]}
    citizen = rig.browser()
    number, secret = file(citizen, made["file-name"], **person, **correction, details=made["control"])
    made.values |= {"number": number.replace("-", ""), "secret": secret.replace("-", "")}
    phone = f"+880{made['phone']}"
    rig.wait_until(lambda: rig.sms_to(phone), "the acknowledgement")
    lost = citizen.get("/track").form("lost_number").fill(lost_number=number, phone=f"0{made['phone']}")
    page = citizen.submit(lost)
    sms = rig.wait_until(lambda: [s for s in rig.sms_to(phone) if re.search(r"[0-9০-৯]{6}", s.text)][-1:], "the code")
    made.values["otp"] = re.findall(r"[0-9০-৯]{6}", sms[0].text)[0].translate(str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789"))
    page = citizen.submit(page.form("otp").fill(otp=made["otp"]))
    assert made["number"] in page.text.replace("-", ""), page.text[:400]
    file(rig.browser(), email=made["email"], preferred_channel="email", details="ই-মেইলে জানাবেন")
    rig.wait_until(lambda: rig.mail_to(made["email"]), "the e-mail")


def anonymous(rig: Rig, made: Canaries) -> None:
    """Who writes everything and then wants no name: files, is asked, answers with another photo, is answered."""
    agent = made["anonymous-agent"]
    hidden = Browser(
        *(rig.url, "", made["anonymous-address"]),
        **{"User-Agent": agent, "X-Forwarded-For": made["anonymous-forwarded"], "Forwarded": f"for={agent}"},
    )
    typed = {
        "name": made["anonymous-name"],
        "phone": f"0{made['anonymous-phone']}",
        "email": made["anonymous-email"],
        "others": f"{made['anonymous-name']}, 0{made['anonymous-phone']}",
        "account_note": made["anonymous-account"],
        "preferred_channel": "sms",
        "anonymous": "1",
    }
    # Page by page first, so that there is a draft; and a fault, so that it is shown again.
    page = hidden.get("/complaints/new")
    fields = {"programme": "old-age-allowance", "category": "payment-not-received", "district": "3026"}
    page = hidden.submit(page.form("programme").fill(**fields))
    page = hidden.submit(page.form("details").fill(details="নাম বলতে ভয় পাই।", account_note=typed["account_note"]))
    form = page.form("anonymous")
    form.values |= {name: [value] for name, value in typed.items()}
    page = hidden.submit(form)
    assert made["anonymous-name"] not in page.text and page.form("declaration")
    hidden.submit(page.form("declaration"), "send")  # not declared: comes back
    photo = f"{made['anonymous-file-name']}.jpg"
    page = hidden.get("/complaints/new?step=4")
    page = hidden.submit(page.form("attachments"), files=(("attachments", photo, jpeg()),))
    page = hidden.submit(page.form("declaration").fill(declaration=True), "send")
    number, secret = codes(page)
    made.values["anonymous-secret"] = secret.replace("-", "")
    asked(rig, number.replace("-", ""))
    page = followed(hidden, number, secret)
    form = page.form("answer").fill(answer="জ্যৈষ্ঠ মাসের।")
    page = hidden.submit(form, files=(("attachments", photo, jpeg(80, 50)),))
    assert "জ্যৈষ্ঠ মাসের।" in page.text, "followed and answered without a name"
    of_case = "SELECT count(*) AS n FROM attachment WHERE case_id = (SELECT id FROM cases WHERE tracking_number = %s)"
    assert rig.rows(of_case, number.replace("-", ""))[0]["n"] == 2, "both photos are kept"
    followed_wrongly = hidden.get("/track").form("secret").fill(tracking_number=number, secret=agent)
    assert hidden.submit(followed_wrongly).status == 422
    hidden.get(f"/no/such/{agent}?q={agent}")
    with socket.create_connection(("127.0.0.1", rig.port), 10, (made["anonymous-address"], 0)) as line:
        line.sendall(MALFORMED.format(host=f"127.0.0.1:{rig.port}", agent=agent).encode())
        assert line.recv(4096).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ")), "not HTTP"


def at_the_desk(rig: Rig, made: Canaries) -> None:
    """An officer begins with the name of somebody who then wants none, puts it aside, and looks the NID up."""
    desk = rig.officer("desk.dhaka")
    form = desk.get("/desk/new").form("medium")
    form.values |= {
        "anonymous": ["1"],
        "name": [made["anonymous-name"]],
        "phone": [f"0{made['anonymous-phone']}"],
        "details": ["পরে লিখব"],
    }
    form.url = f"{rig.url}/desk/drafts"
    assert "draft=" in desk.submit(form).html
    form = desk.get("/registry").form("key").fill(key=made["nid"])
    assert desk.submit(form).status in (200, 422)


@pytest.fixture(scope="module")
def found(rig: Rig, canaries: Canaries) -> dict[str, list[tuple[str, bytes]]]:
    """Everything that is kept, by place: pairs of what it is and what is in it."""
    top, control = rig.home.parent, canaries["control"]
    broker = redis.Redis(unix_socket_path=str(embedded_places(rig.home).valkey))
    broker.set("control", control, ex=60)
    folders = {
        "logs": [rig.home / "log", top / "launcher"],
        "gateway": [top / "gateway"],
        "files": [rig.home / "attachments"],
        "temp": [Path(rig.env["TMPDIR"])],
    }
    for place in ("logs", "files", "temp"):
        folders[place][0].mkdir(parents=True, exist_ok=True)
        (folders[place][0] / "control").write_text(control)
    held = {place: [(str(path), path.read_bytes()) for path in files_in(folders[place])] for place in folders}
    held["gateway"] += [("received", f"{sms.to} {sms.text}".encode()) for sms in rig.sms.received()]
    held["mail"] = [
        ("received", f"{mail.recipients} {mail.subject} {mail.text}".encode()) for mail in rig.mail.received
    ]
    held["database"] = [("dump", dump(rig))]
    held["sealed"] = [("opened", content) for content in unsealed(held["database"][0][1], rig)]
    held["broker"] = [(str(key), value_of(broker, key)) for key in broker.scan_iter()]
    held["broker"] += [(str(path), path.read_bytes()) for path in files_in([rig.home / "valkey"])]
    # What lies in GRM_HOME elsewhere, but for PostgreSQL's own files, which the dump has read.
    known = [rig.home / "pg", rig.home / "valkey", *(one for each in folders.values() for one in each)]
    held["temp"] += [
        (str(path), path.read_bytes())
        for path in files_in([rig.home])
        if not any(folder in path.parents for folder in known)
    ]
    return held


def files_in(folders: list[Path]) -> Iterator[Path]:
    """All files below some folders."""
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def dump(rig: Rig) -> bytes:
    """The database as text: a table a paragraph, a row a line."""
    where = str(embedded_places(rig.home).postgres)
    command = [str(_postgres_binaries() / "pg_dump"), "-h", where, "-U", "grm", "--data-only", "grm"]
    return subprocess.run(command, check=True, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout


def unsealed(dumped: bytes, rig: Rig) -> Iterator[bytes]:
    """What every sealed value of a dump holds. With the key but without asking what each is tied to (AES-GCM without its tag
    is AES-CTR), so that none is overlooked."""
    for key in load_settings({"GRM_HOME": str(rig.home)}).data_keys:
        header, cipher = _header_of(key), AES(derive_key(key, "sealed-field"))
        for found in re.findall(rb"\\x(" + header.hex().encode() + rb"[0-9a-f]{56,})", dumped):
            value = bytes.fromhex(found.decode())[len(header) :]
            yield Cipher(cipher, CTR(value[:12] + b"\0\0\0\x02")).decryptor().update(value[12:-16])


def value_of(broker: "redis.Redis", key: bytes) -> bytes:
    """What a key of the broker holds, of whatever kind."""
    reads = {
        b"string": lambda: broker.get(key),
        b"list": lambda: broker.lrange(key, 0, -1),
        b"hash": lambda: broker.hgetall(key),
        b"set": lambda: broker.smembers(key),
        b"zset": lambda: broker.zrange(key, 0, -1),
        b"none": lambda: "gone since it was listed",
    }
    return key + b" " + repr(reads[broker.type(key)]()).encode()


def row_of(name: str) -> dict[str, bool]:
    """Where a canary may stand."""
    line = next(line.split() for line in TABLE.splitlines() if line.startswith(f"{name} "))
    return {place: mark == "x" for place, mark in zip(PLACES, line[1:], strict=True)}


def holds(content: bytes, canaries: Canaries, name: str) -> bool:
    """Whether a canary stands in a content. Six digits may stand anywhere by chance, so that code must stand alone."""
    if name == "otp":
        return bool(
            re.search(rb"(?<![0-9A-Za-z.+/=])" + canaries["otp"].encode() + rb"(?![0-9A-Za-z+/=])", content)
        ) or (bangla_digits(canaries["otp"]).encode() in content)
    return any(spelling in content for spelling in canaries.spellings(name))


@pytest.mark.parametrize("name", [line.split()[0] for line in TABLE.strip().splitlines()[1:]])
def test_a_canary_stands_only_where_it_may(
    found: dict[str, list[tuple[str, bytes]]], canaries: Canaries, name: str
) -> None:
    where = {place: [what for what, content in found[place] if holds(content, canaries, name)] for place in PLACES}
    assert {place: bool(whats) for place, whats in where.items()} == row_of(name), where
