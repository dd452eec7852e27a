"""The cases of an alarm, as a file."""

from collections.abc import Iterator

from grm.alarms import queries, wording
from grm.exports.kinds import Asked, exportable
from grm.exports.sheet import Column, Row, Sheet
from grm.kernel.errors import NotFound
from grm.kernel.text import latin_digits
from grm.offices.queries import directory
from grm.web.labels import label
from grm.web.locale import gettext
from grm.web.presentation import name


@exportable("alarm", "cell_officer")
def alarm_sheet(asked: Asked) -> Sheet:
    """The cases of one alarm that the officer may see, the latest first."""
    number = latin_digits(asked.query.get("alarm", "")[:18])
    row = queries.one(asked.session, int(number)) if number.isascii() and number.isdigit() else None
    if row is None:
        raise NotFound
    alarm, book = row.Alarm, directory(asked.session)
    count = queries.count(asked.session, asked.actor, alarm, asked.now)
    if queries.is_hidden(asked.session, alarm, asked.now, count):
        raise NotFound

    def rows() -> Iterator[Row]:
        after = None
        while True:
            found = queries.cases(asked.session, asked.actor, alarm, asked.now, after)
            for case in found[: queries.PAGE]:
                yield (
                    case.tracking_number,
                    name(book.category(case.category_id)),
                    name(book.programme(case.programme_id)) if case.programme_id else "",
                    name(book.place(case.district_id)) if case.district_id else "",
                    name(book.office(case.office_id)),
                    case.received_on,
                    case.due_on,
                    label("status", case.status),
                )
            if len(found) <= queries.PAGE:
                return
            after = (found[queries.PAGE - 1].received_on, found[queries.PAGE - 1].id)

    return Sheet(
        f"{gettext('Alarm')}: {wording.title(alarm, book)}",
        (
            Column(gettext("Tracking number"), "code"),
            *(Column(words) for words in (gettext("Category"), gettext("Programme"), gettext("District"))),
            Column(gettext("Office")),
            *(Column(words, "date") for words in (gettext("Received on"), gettext("Due on"))),
            Column(gettext("Status")),
        ),
        rows(),
        filters=(wording.evidence(alarm, count),),
        count=count,
    )
