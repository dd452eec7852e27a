"""Who has a complaint, until when, and what happens then: a few plain sentences for somebody who reads little."""

from datetime import date

from grm.web.locale import gettext
from grm.web.presentation import number, show_date, show_weekday


def in_short(
    desk: str,
    due_on: date,
    *,
    is_awaited: bool,
    is_late: bool,
    is_paused: bool,
    is_complying: bool,
    level: int,
    has_rungs: bool,
) -> tuple[str, ...]:
    """The sentences, in order; one alone for what has ended. `desk` is office and desk in words, `due_on` the last day;
    `has_rungs`: whether somebody above hears of it when the day is missed."""
    if not is_awaited:
        return (gettext("It was last with: %(desk)s.", desk=desk),)
    day = f"{show_weekday(due_on)}, {show_date(due_on)}"
    found = [gettext("It is with: %(desk)s.", desk=desk)]
    if is_paused:
        found.append(gettext("They wait for your answer. Until it comes, the days do not count."))
        return tuple(found)
    if is_late:
        found.append(gettext("They should have answered by %(day)s. That day has passed.", day=day))
        if level:
            found.append(gettext("Higher officers know of it: level %(level)s.", level=number(level)))
        return tuple(found)
    if is_complying:
        found.append(gettext("They are to carry out the decision by %(day)s.", day=day))
    else:
        found.append(gettext("They must answer you by %(day)s.", day=day))
    if has_rungs:
        found.append(
            gettext(
                "If they do not, higher officers are told by themselves, and from the next day on you can press for it here."
            )
        )
    return tuple(found)
