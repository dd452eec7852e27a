"""What tests of reports share: filing at any instant, demo officers as actors, and signing in through the page."""

import re
from dataclasses import replace
from datetime import datetime

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.intake.screening import Answers
from grm.intake.service import Filing, file_grievance, new_token
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.offices.signed_in import actor_of

PLAIN = Answers(
    programme="old-age-allowance",
    category="payment-not-received",
    is_sensitive=False,
    district="3026",
    upazila=None,
    place="",
    details="তিন মাস ধরে ভাতা পাচ্ছি না",
    incident_on=None,
    about="none",
    is_anonymous=False,
    is_on_behalf=False,
    relation=None,
    name="আমেনা বেগম",
    representative_name=None,
    phone=None,
    email=None,
    sex=None,
    age_group=None,
    disability=None,
    language="bn",
    preferred_channel="none",
)


def filed(now: datetime, **changes: object) -> str:
    """File a case at an instant and return its tracking number."""
    answers = replace(PLAIN, **changes)  # type: ignore[arg-type]
    return file_grievance(Filing(answers, new_token(), {"details": answers.details}), now=now).tracking_number


def officer(session: Session, username: str) -> Actor:
    """A demo officer as an actor with today's seats."""
    found = session.scalars(select(Officer).where(Officer.username == username)).one()
    return actor_of(session, found, clock.dhaka_date(clock.now(session)))


def sign_in(client: FlaskClient, username: str) -> FlaskClient:
    """Sign in as a demo officer through the page."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert token
    answer = client.post("/login", data={"csrf_token": token[1], "username": username, "password": "demo"})
    assert answer.status_code == 303
    return client
