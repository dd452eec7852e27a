"""The words of the letter on a closed month: a block for each unit, made of the figures in the message's params.

What they hold is made by `grm/returns/letters.py` when the month is closed, so that a letter says what was frozen.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grm.web.locale import gettext, language
from grm.web.presentation import number


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


COUNTRY = _("Whole country")
SIDES = {"complaint": _("Complaints"), "appeal": _("Appeals")}
VIEWS = {
    "desk": _("Counted are the cases of the grievance officer's desk."),
    "open": _("Sensitive cases are not counted here."),
}
BALANCE = _(
    "carried over %(carried)s + received %(received)s = %(total)s; disposed of %(disposed)s + sent %(sent)s + pending "
    "%(pending)s = %(went)s."
)


def values(blocks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What a letter may name, in the language that is being spoken (`grm.web.locale.speaking`)."""
    return {"returns": "\n\n".join("\n".join(_lines(block)) for block in blocks)}


def _lines(block: Mapping[str, Any]) -> Iterator[str]:
    yield _named(block["name"]) if block["name"] else gettext(COUNTRY)
    view = VIEWS.get(block["view"])
    if view is not None:
        yield gettext(view)
    for side, words in SIDES.items():
        yield f"{gettext(words)}: {_balance(block['sides'][side])}"
    figures = block["sides"]["complaint"]
    target = number(block["target"])
    if block["is_silent"]:
        yield gettext(
            "No complaint was received. That is a finding, not a success: do people know that they can complain?"
        )
    if figures["in_time_percent"] is not None:
        yield gettext(
            "In time: %(share)s %% (target %(target)s %%)", share=_one(figures["in_time_percent"]), target=target
        )
    if figures["median_days"] is not None:
        yield gettext(
            "Days to an answer: median %(median)s, nine in ten within %(ninetieth)s",
            median=_one(figures["median_days"]),
            ninetieth=_one(figures["ninetieth_days"]),
        )
    if figures["rated"]:
        share, rated = _one(figures["satisfied_percent"]), number(figures["rated"])
        yield gettext("Satisfied (4 or 5 stars): %(share)s %% of %(rated)s answers rated", share=share, rated=rated)
    if figures["decided"]:
        yield gettext(
            "Appeals decided: %(decided)s, upheld: %(upheld)s (%(share)s %%)",
            decided=number(figures["decided"]),
            upheld=number(figures["upheld"]),
            share=_one(figures["upheld_percent"]),
        )
    if block["owing"]:
        names = ", ".join(map(_named, block["owing"]))
        if block["more"]:
            names = gettext("%(names)s and %(count)s more", names=names, count=number(block["more"]))
        yield gettext("Not submitted: %(names)s", names=names)


def _balance(figures: Mapping[str, Any]) -> str:
    """The line of a side; where the sums are equal it balances, and nothing is frozen that does not."""
    pending = figures["pending"] + figures["overdue"]
    words = gettext(
        BALANCE,
        **{name: number(figures[name]) for name in ("carried", "received", "total", "disposed", "sent")},
        pending=number(pending),
        went=number(figures["disposed"] + figures["sent"] + pending),
    )
    overdue = gettext("Overdue: %(count)s.", count=number(figures["overdue"]))
    return f"{words} {overdue}"


def _named(names: Sequence[str]) -> str:
    return names[0] if language() == "bn" else names[1]


def _one(value: float) -> str:
    return number(value, 1)
