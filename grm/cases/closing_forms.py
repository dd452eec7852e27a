"""The forms of letters, of answers sent back, and of hearings."""

import re
from datetime import time

from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import Optional

from grm.cases.action_form import ActionForm
from grm.cases.reply_form import ReplyForm
from grm.kernel.text import latin_digits
from grm.web.locale import lazy

_HOUR = re.compile(r"([0-9]{1,2})(?:[:.]([0-9]{2}))?\s*(am|pm|a\.m\.|p\.m\.)?", re.IGNORECASE)


class LineField(StringField):
    """One line of text; a plain `StringField` of these forms is a date."""


class WriteForm(ReplyForm):
    """A letter that ends nothing."""

    letter = TextAreaField(
        lazy("Letter to the complainant"),
        description=lazy("How the matter stands, in the complainant's language. It ends nothing and stops no clock."),
    )


class SendBackForm(ActionForm):
    """The answer is not enough."""

    reason = TextAreaField(
        lazy("What is missing"),
        description=lazy("For the office. The complainant hears only that the matter is looked at again."),
    )


class ScheduleHearingForm(ActionForm):
    """When and where both sides are heard."""

    hearing_on = StringField(lazy("Day of the hearing"))
    hour = LineField(lazy("Hour"), description=lazy("On the 24-hour clock, for example 10:30 or 14:00"))
    place = LineField(lazy("Place"), description=lazy("Building, floor and room. The complainant reads it."))
    bring = TextAreaField(
        lazy("What to bring"), [Optional()], description=lazy("The complainant reads it on the tracking page.")
    )


class RecordHearingForm(ActionForm):
    """What came of a hearing."""

    result = RadioField(lazy("What came of the hearing?"), validate_choice=False)
    minutes = TextAreaField(
        lazy("What was said"),
        [Optional()],
        description=lazy("Needed where it was held, and, as the reason, where it is called off. For the office only."),
    )


def parse_hour(typed: str) -> time | None:
    """An hour typed as 10:30, 10.30, 14, 2:30 pm, in any digits; None for anything else."""
    found = _HOUR.fullmatch(latin_digits(typed[:20]).strip())
    if found is None:
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower().replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None
