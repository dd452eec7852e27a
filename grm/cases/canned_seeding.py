"""The canned texts that come with the product: loaded once each. What was changed or retired since stays so."""

import csv
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases.closing_models import CannedReply
from grm.offices import edition

FILE = Path(__file__).parents[1] / "data" / "canned_replies.csv"
COLUMNS = ("code", "used_for", "title_bn", "title_en", "text_bn", "text_en")


def seed(session: Session, now: datetime) -> int:
    """Add those of the shipped texts that are not there yet, for all offices, and return how many."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = set(session.scalars(select(CannedReply.code).where(CannedReply.code.is_not(None))))
    new = [row for row in rows if row["code"] not in known]
    session.add_all(CannedReply(**{name: row[name] for name in COLUMNS}, changed_at=now) for row in new)
    if new:
        session.flush()
        edition.bump(session)
    return len(new)
