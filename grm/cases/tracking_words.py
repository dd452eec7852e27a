"""What the tracking page says of faults and waits."""

from grm.web.locale import gettext, ngettext
from grm.web.presentation import number as grouped


def stale() -> str:
    """What is said of a form that was open for too long."""
    return gettext("This page was open for too long. Nothing is lost: check it and press the button again.")


def fault(code: str, length: int, limit: int) -> str:
    """What is wrong with what was typed, and how to mend it; `length` and `limit` in characters."""
    if code == "too-long":
        return gettext(
            "These are %(count)s characters; at most %(limit)s fit. Please shorten by %(over)s.",
            count=grouped(length),
            limit=grouped(limit),
            over=grouped(max(1, length - limit)),
        )
    if code == "control-characters":
        return gettext("There are characters in it that cannot be read: type it again")
    if code == "choose-one":
        return gettext("Choose one of the five")
    return gettext("Please write something")


def wait_text(seconds: int) -> str:
    """For how long to wait after too many tries."""
    if seconds <= 90:
        return ngettext(
            "Too many tries. Wait %(count)s second, then try again.",
            "Too many tries. Wait %(count)s seconds, then try again.",
            seconds,
            count=grouped(seconds),
        )
    minutes = -(-seconds // 60)
    return ngettext(
        "Too many tries. Wait %(count)s minute, then try again.",
        "Too many tries. Wait %(count)s minutes, then try again.",
        minutes,
        count=grouped(minutes),
    )
