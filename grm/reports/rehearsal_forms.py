"""The form of a rehearsal: files or typed text, checked line by line before anything begins."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from wtforms import FileField, StringField, TextAreaField
from wtforms.validators import Optional

from grm.deadlines.strict_csv import MAX_BYTES, Fault
from grm.escalation.rehearsing import read_proposal, year_before
from grm.kernel.text import has_forbidden_characters, parse_date
from grm.web.forms import BaseForm
from grm.web.locale import gettext, lazy, ngettext
from grm.web.presentation import digits

SHOWN_FAULTS = 30


class RehearsalForm(BaseForm):
    """Proposed limits and days, and the span of cases. A file goes before what stands in the text box, and is put there."""

    policies_file = FileField(lazy("File of proposed limits (CSV)"), [Optional()])
    policies = TextAreaField(lazy("Proposed limits"), [Optional()])
    calendar_file = FileField(lazy("File of proposed days (CSV)"), [Optional()])
    calendar = TextAreaField(lazy("Proposed holidays and working days"), [Optional()])
    since = StringField(lazy("Cases filed or open from"), [Optional()])
    until = StringField(lazy("through"), [Optional()])

    since_on: date
    until_on: date

    def take_files(self, files: Any) -> None:
        """Put the text of uploaded files into the boxes, so that nothing has to be chosen again."""
        self._unreadable: dict[str, str] = {}
        for field, name in ((self.policies, "policies_file"), (self.calendar, "calendar_file")):
            file = files.get(name)
            if isinstance(file, FileStorage) and file.filename:
                self._take(field, name, file.read(MAX_BYTES + 1))

    def _take(self, field: TextAreaField, name: str, content: bytes) -> None:
        if len(content) > MAX_BYTES:
            self._unreadable[name] = gettext("the file has more than %(limit)s bytes", limit=digits(MAX_BYTES))
            return
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            self._unreadable[name] = gettext("the text is not UTF-8")
            return
        if has_forbidden_characters(text):
            self._unreadable[name] = gettext("the file holds a NUL character")
            return
        field.data = text if text.strip() else "\n"  # an empty file was meant to be one: say so
        if not text.strip():
            self._unreadable[name] = gettext("the file is empty")

    def check(self, session: Session, today: date) -> bool:
        """Whether everything can be rehearsed; else each fault stands beside its field."""
        for field, name in ((self.policies_file, "policies_file"), (self.calendar_file, "calendar_file")):
            if name in self._unreadable:
                field.errors = [self._unreadable[name]]
        limits, days = self.texts
        if limits is None and days is None and not self._unreadable:
            self.form_errors.append(gettext("Propose limits, days, or both."))
        _proposal, of_limits, of_days = read_proposal(session, _bytes(limits), _bytes(days))
        self.policies.errors = _told(of_limits)
        self.calendar.errors = _told(of_days)
        self._check_span(today)
        return not (self.form_errors or any(field.errors for field in self))

    @property
    def texts(self) -> tuple[str | None, str | None]:
        """The proposed limits and days, None for what is not proposed."""
        limits, days = (field.data if (field.data or "").strip() else None for field in (self.policies, self.calendar))
        return limits, days

    def _check_span(self, today: date) -> None:
        until_on = self._day(self.until) if self.until.data else today
        since_on = self._day(self.since) if self.since.data else (year_before(until_on) if until_on else None)
        if since_on is None or until_on is None:
            return
        if since_on > min(until_on, today):
            self.since.errors = [gettext("This day must not lie after the other one, nor after today.")]
        self.since_on, self.until_on = since_on, until_on

    def _day(self, field: StringField) -> date | None:
        on = parse_date(field.data or "")
        if on is None:
            field.errors = [gettext("Enter day, month and year, for example 25/03/2026")]
        return on


def _told(faults: tuple[Fault, ...]) -> list[str]:
    """The faults in the page's language, each with its line."""
    shown = [_one(fault) for fault in faults[:SHOWN_FAULTS]]
    more = len(faults) - len(shown)
    if more:
        shown.append(ngettext("and %(num)s more fault", "and %(num)s more faults", more, num=digits(more)))
    return shown


def _one(fault: Fault) -> str:
    values = {name: digits(value) if isinstance(value, int) else value for name, value in fault.values.items()}
    text = gettext(fault.text, **values) if values else gettext(fault.text)
    return gettext("Line %(line)s: %(fault)s.", line=digits(fault.line), fault=text) if fault.line else text


def _bytes(text: str | None) -> bytes | None:
    return text.encode("utf-8", "surrogatepass") if text is not None else None
