"""What an alarm says, in plain words."""

from typing import Any

from grm.alarms.models import Alarm
from grm.offices.directory import Directory
from grm.web.locale import gettext
from grm.web.presentation import digits, name, show_date


def title(alarm: Alarm, known: Directory) -> str:
    """Whom or what an alarm is about."""
    if alarm.office_id is not None:
        return name(known.office(alarm.office_id))
    place = (
        known.place(alarm.district_id) if alarm.district_id is not None else known.programme(alarm.programme_id or 0)
    )
    words = name(place)
    if alarm.category_id is not None:
        words = f"{words}: {name(known.category(alarm.category_id))}"
    return words


def evidence(alarm: Alarm, cases: int | None) -> str:
    """Why it was raised: how many, how many are usual, since when. `cases` are those of its list that the reader may
    see; None where they were not counted."""
    data = alarm.evidence
    since = show_date(alarm.starts_on)
    if alarm.kind == "surge":
        said = gettext(
            "%(cases)s cases came from %(since)s to %(until)s; in as many days %(usual)s are usual.",
            cases=digits(cases or 0),
            since=since,
            until=show_date(alarm.until_on),
            usual=_number(data["usual"]),
        )
        if data.get("last_year") is not None:
            before = digits(data["last_year"])
            said += " " + gettext("Last year in these weeks %(count)s came in seven days at most.", count=before)
        return said
    if alarm.kind == "silent":
        last = show_date(alarm.until_on)
        if data.get("usual") is None:
            return gettext("The last case came on %(last)s: %(days)s days ago.", last=last, days=digits(data["days"]))
        return gettext(
            "The last case came on %(last)s: %(days)s days ago. %(usual)s a week were usual.",
            last=last,
            days=digits(data["days"]),
            usual=_number(data["usual"]),
        )
    if alarm.kind == "unheard":
        return gettext(
            "No case has ever come from here, in %(days)s days; an even share of the country's would be %(expected)s.",
            days=digits(data["days"]),
            expected=_number(data["expected"]),
        )
    reasons = [_reason(each["code"], each["now"], each["before"]) for each in data["reasons"]]
    if cases is not None:
        reasons.append(gettext("%(cases)s are overdue now.", cases=digits(cases)))
    return " ".join(reasons)


def _reason(code: str, now: float, before: float) -> str:
    values = {"now": _number(now), "before": _number(before)}
    if code == "late":
        return gettext("%(now)s %% of its answers are late; in the six months before it was %(before)s %%.", **values)
    if code == "slower":
        return gettext("Half of its answers take more than %(now)s days; before it was %(before)s.", **values)
    return gettext(
        "Of a hundred cases that come in it ends %(now)s; in the six months before it was %(before)s.", **values
    )


def _number(value: Any) -> str:
    return digits(f"{float(value):.1f}".removesuffix(".0"))
