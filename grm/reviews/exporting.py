"""What reviewers found, by office, as a file."""

from grm.exports.kinds import Asked, exportable
from grm.exports.sheet import Column, Row, Sheet
from grm.offices.queries import directory
from grm.reviews import queries
from grm.reviews.findings import FAULTS
from grm.web.labels import label
from grm.web.locale import gettext
from grm.web.presentation import name, show_month


@exportable("reviews", "cell_officer")
def reviews_sheet(asked: Asked) -> Sheet:
    """A line for each office, and all of them together."""
    months = queries.months(asked.session)
    month = queries.month_from(asked.query.get("month", ""))
    since = queries.first_shown(months)
    lines = queries.findings(asked.session, asked.actor, queries.Choice(month=month, since=since), "office")
    book = directory(asked.session)

    def row(line: queries.Findings) -> Row:
        title = name(book.office(line.key)) if line.key is not None else gettext("All offices")
        faults = (line.faults[fault] for fault in FAULTS)
        return (title, line.drawn, line.reviewed, line.sound, *faults, line.rated, line.stars)

    rows = [row(line) for line in lines if line.key is not None]
    return Sheet(
        gettext("What reviewers found"),
        (
            Column(gettext("Office"), width=40),
            *(Column(words, "number") for words in (gettext("Drawn"), gettext("Reviewed"))),
            *(Column(label("review_list", each), "number") for each in ("sound", *FAULTS)),
            Column(gettext("Rated"), "number"),
            Column(gettext("Complainants’ rating"), "number", decimals=1),
        ),
        rows,
        filters=(show_month(month) if month else gettext("The last twelve months"),),
        count=len(rows),
        total=next((row(line) for line in lines if line.key is None), None),
    )
