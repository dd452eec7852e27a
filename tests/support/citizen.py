"""Somebody in front of the public form: `app.test_client()` with pages read as a person reads them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.kernel.db import db
from tests.support.web import Form, Page

FORM = "/complaints/new"
CODE = re.compile("[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{5}")
COMPLAINT = {
    "programme": "old-age-allowance",
    "category": "payment-not-received",
    "district": "3026",
    "upazila": "302614",
    "details": "তিন মাস ধরে ভাতার টাকা পাইনি।",
    "place": "ধামরাই",
    "incident_on": "০১/০১/২০২৬",
    "name": "রহিমা খাতুন",
    "phone": "০১৭১২-৩৪৫৬৭৮",
    "language": "bn",
    "preferred_channel": "sms",
    "declaration": "1",
}


class Citizen:
    """A browser without scripts, with or without cookies."""

    def __init__(self, app: Flask, has_cookies: bool = True, address: str = "203.0.113.7") -> None:
        self.client = app.test_client(use_cookies=has_cookies)
        self.address = address

    def get(self, url: str, **more: Any) -> Page:
        """Open a page and follow redirects."""
        return self._read(self.client.get(url, environ_base=self._from(), follow_redirects=True, **more))

    def post(self, url: str, data: Any, **more: Any) -> Page:
        """Send a form as given and follow redirects."""
        return self._read(self.client.post(url, data=data, environ_base=self._from(), follow_redirects=True, **more))

    def submit(self, form: Form, button: str = "") -> Page:
        """Press a button of a form."""
        pairs = form.press(button)
        data: dict[str, list[str]] = {}
        for name, value in pairs:
            data.setdefault(name, []).append(value)
        return self.post(form.url, data)

    def tokens(self, url: str = FORM) -> dict[str, str]:
        """The hidden fields of a fresh form, to send with anything."""
        form = self.get(url).form("csrf_token")
        return {name: form.values[name][0] for name in ("csrf_token", "draft") if name in form.values}

    def file(self, **changes: str) -> Page:
        """Send everything at once, as a client may."""
        return self.post(FORM, {**self.tokens(), **COMPLAINT, "step": "send", **changes})

    def _from(self) -> dict[str, str]:
        return {"REMOTE_ADDR": self.address}

    def _read(self, response: Any) -> Page:
        return Page(
            "http://localhost" + response.request.full_path, response.status_code, response.headers, response.data
        )


def codes_of(page: Page) -> list[str]:
    """The tracking number and the secret on a receipt, as they are stored."""
    return [code.replace("-", "") for code in CODE.findall(page.text)]


def errors_of(page: Page) -> dict[str, str]:
    """The fields that the summary points at, with its words; general faults stand under ''."""
    for box in page.document.all("div"):
        if "error-summary" in box["class"]:
            linked = {anchor["href"].removeprefix("#"): anchor.text for anchor in box.all("a")}
            return linked or {"": box.text}
    return {}


def the_case(session: Session) -> Case:
    """The only case there is."""
    session.expire_all()
    return session.scalars(select(Case)).one()


def how_many(session: Session, model: Any) -> int:
    """Rows of a table now."""
    session.rollback()
    return session.execute(select(func.count()).select_from(model)).scalar_one()


@contextmanager
def counted_statements(app: Flask) -> Iterator[list[str]]:
    """The statements that reach the database meanwhile, from all threads."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
