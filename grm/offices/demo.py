"""Demo accounts for development and tests: an officer in every post that the ladder and the queues need.

Never in production: the password is known to everybody. `grm/setup.py` refuses it there.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.accounts.passwords import hash_password
from grm.kernel.errors import Misconfigured
from grm.kernel.text import nfc
from grm.offices.coordinators import CODE, coordinators_post
from grm.offices.directory import Directory
from grm.offices.models import Post, Posting
from grm.offices.queries import directory

PASSWORD = "demo"
SINCE = date(2020, 1, 1)

MINISTRY_POSTS = (("gro", "gro"), ("officer", "officer"), ("appeal", "appeal"))
"""First part of the user name, and the code of the post in each ministry's office."""

COORDINATOR = "coordinator.social-welfare"
"""Who coordinates the cluster of allowances: the one post that no pattern makes."""

CHAIR = "chair"
"""Who presides over the Cabinet Division's cell, and answers where the ladder ends."""

# Given and family names of people in Bangladesh, combined; (Bangla, English). No real officer is meant.
_MEN = (
    ("মোঃ রফিকুল", "Md. Rafiqul"),
    ("মোহাম্মদ আনিসুর", "Mohammad Anisur"),
    ("মোঃ শফিকুর", "Md. Shafiqur"),
    ("আবু হেনা", "Abu Hena"),
    ("মোঃ জাহিদুল", "Md. Zahidul"),
    ("কাজী মাহবুব", "Kazi Mahbub"),
    ("দেবাশীষ", "Debashish"),
    ("মোঃ তৌহিদুর", "Md. Tauhidur"),
    ("সৈয়দ ইমরান", "Syed Imran"),
    ("সুমন কুমার", "Suman Kumar"),
    ("মোঃ নজরুল", "Md. Nazrul"),
    ("আ ন ম ফয়জুল", "A N M Faizul"),
    ("মোঃ হাবিবুর", "Md. Habibur"),
)
_MEN_FAMILY = (
    ("ইসলাম", "Islam"),
    ("রহমান", "Rahman"),
    ("আলম", "Alam"),
    ("হোসেন", "Hossain"),
    ("চৌধুরী", "Chowdhury"),
    ("সরকার", "Sarkar"),
    ("মজুমদার", "Majumder"),
    ("বিশ্বাস", "Biswas"),
    ("তালুকদার", "Talukder"),
    ("ভূঁইয়া", "Bhuiyan"),
    ("প্রামাণিক", "Pramanik"),
)
_WOMEN = (
    ("ফারহানা", "Farhana"),
    ("নাসরিন", "Nasrin"),
    ("শাহনাজ", "Shahnaz"),
    ("তাহমিনা", "Tahmina"),
    ("রেহানা", "Rehana"),
    ("মাহমুদা", "Mahmuda"),
    ("সাবিনা", "Sabina"),
    ("শর্মিষ্ঠা", "Sharmistha"),
    ("রুমানা", "Rumana"),
)
_WOMEN_FAMILY = (
    ("আক্তার", "Akter"),
    ("বেগম", "Begum"),
    ("সুলতানা", "Sultana"),
    ("ইয়াসমিন", "Yasmin"),
    ("পারভীন", "Parveen"),
    ("খাতুন", "Khatun"),
    ("রহমান", "Rahman"),
    ("চৌধুরী", "Chowdhury"),
)


def accounts(known: Directory) -> Iterator[tuple[str, str | None, str | None]]:
    """Every demo account: user name, code of the office and code of the post (None for the administrator)."""
    yield "admin", None, None
    yield "cabinet", known.cell.code, "cell"
    for prefix, post in MINISTRY_POSTS:
        for ministry in known.ministries:
            yield f"{prefix}.{ministry.slug}", known.office(ministry.office_id).code, post
    for district in known.districts:
        yield f"desk.{slug(district.name_en)}", known.district_office(district.id).code, "desk"
    for office in known.offices:
        if office.kind == "provider":
            yield f"gro.{office.code}", office.code, "gro"
    yield COORDINATOR, known.office_of("social-welfare").code, CODE
    yield CHAIR, known.cell.code, "head"  # what comes later stands last, so that the others keep their names


def slug(name: str) -> str:
    """A name as part of a user name: `Cox's Bazar` is `coxs-bazar`."""
    return "-".join("".join(letter for letter in name.lower() if letter.isalnum() or letter == " ").split())


def seed(session: Session, now: datetime) -> int:
    """Make the demo accounts that are missing, each posted since 2020, and return how many; the caller commits.

    Idempotent: accounts that exist keep their password, postings and state. Raises `Misconfigured` `demo-name-taken` where
    a real account bears a demo account's name.
    """
    known = directory(session)
    names = dict(session.execute(select(Officer.username, Officer.is_demo)).all())
    if taken := [name for name, *_ in accounts(known) if names.get(name) is False]:
        raise Misconfigured("demo-name-taken", username=taken[0])
    missing = [(number, *each) for number, each in enumerate(accounts(known)) if each[0] not in names]
    if not missing:
        return 0
    # One hash for all: 198 hashes of a tenth of a second each would cost the first start 20 s, and the password is no secret.
    password_hash = hash_password(PASSWORD)
    session.execute(
        insert(Officer),
        [
            {**_person(number), "username": name, "password_hash": password_hash, "created_at": now}
            | {"email": f"{name}@grm.example", "is_admin": office is None, "is_demo": True, "is_active": True}
            for number, name, office, _ in missing
        ],
    )
    coordinators_post(session, known, known.office_of("social-welfare").id)
    officers = dict(session.execute(select(Officer.username, Officer.id)).all())
    posts = {(office, code): id_ for id_, office, code in session.execute(select(Post.id, Post.office_id, Post.code))}
    session.execute(
        insert(Posting),
        [
            {
                "officer_id": officers[name],
                "post_id": posts[known.office(office).id, post],
                "starts_on": SINCE,
                "is_alternate": False,
            }
            for _, name, office, post in missing
            if office is not None and post is not None
        ],
    )
    return len(missing)


def _person(number: int) -> dict[str, Any]:
    """The name and telephone of the n-th officer: always the same, no two alike, every third a woman."""
    women_before = (number + 1) // 3
    is_woman = number % 3 == 1
    nth = women_before if is_woman else number - women_before
    given, family = (_WOMEN, _WOMEN_FAMILY) if is_woman else (_MEN, _MEN_FAMILY)
    row, column = divmod(nth, len(given))
    first, last = given[column], family[(row + column) % len(family)]
    return {
        "name_bn": nfc(f"{first[0]} {last[0]}"),
        "name_en": f"{first[1]} {last[1]}",
        "phone": f"+88013{number:08d}",  # 013 0000 0000 and on: made up, and development sends nothing out
        "language": "bn",
    }
