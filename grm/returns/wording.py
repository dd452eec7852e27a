"""The words of the monthly return: its columns, as officers know them from the printed form."""

from grm.web.locale import gettext


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


COLUMN_WORDS = {
    "carried": _("Carried over"),
    "web": _("Received by web"),
    "333": _("Received by call centre 333"),
    "conventional": _("Received by paper, letter, e-mail or at a desk"),
    "suo_motu": _("Taken up from the media (suo motu)"),
    "reopened": _("Opened again"),
    "from_offices": _("Received from other offices"),
    "received": _("Received in all"),
    "total": _("Total"),
    "disposed": _("Disposed of"),
    "in_time": _("Of these in time"),
    "late": _("Of these late"),
    "sent": _("Sent to other offices"),
    "pending": _("Pending in time"),
    "overdue": _("Pending overdue"),
    "extended": _("Of the pending, with extended time"),
    "rated": _("Answers rated"),
    "satisfied": _("Of these 4 or 5 stars"),
    "decided": _("Appeals decided"),
    "upheld": _("Of these upheld"),
}
SIDE_WORDS = {"complaint": _("Complaints"), "appeal": _("Appeals")}
KIND_WORDS = {
    "office": _("Office"),
    "ministry": _("Ministry or division"),
    "district": _("District"),
    "programme": _("Programme"),
    "country": _("Whole country"),
}
STATE_WORDS = {
    "submitted": _("Submitted"),
    "submitted_late": _("Submitted late"),
    "due": _("To be submitted"),
    "late": _("Late"),
}
BEGAN_WORDS = {
    "filed": _("Filed"),
    "reopened": _("Opened again"),
    "appealed": _("Appeal"),
    "referred": _("Referred here"),
    "returned": _("Returned here"),
    "raised": _("Taken up"),
    "recommended": _("Recommended by the cell"),
}
ENDED_WORDS = {
    "resolved": _("Answered"),
    "declined": _("Declined"),
    "withdrawn": _("Withdrawn"),
    "merged": _("Merged with another"),
    "referred": _("Referred"),
    "returned": _("Returned"),
    "raised": _("Gone to a higher desk"),
    "recommended": _("Sent to the ministry to carry out"),
}
_REFUSALS = {
    "not-prepared": _("The return can be submitted when the month is over."),
    "does-not-balance": _(
        "The numbers contradict one another, so nothing was submitted. Please tell the administrators."
    ),
    "figures-not-made": _("The figures are being made anew, so nothing was submitted. Please try again later."),
}


def column(name: str) -> str:
    """The words for a column."""
    return gettext(COLUMN_WORDS[name])


def refusal(code: str) -> str:
    """Why a return was not taken."""
    return gettext(_REFUSALS.get(code, _REFUSALS["not-prepared"]))


def words(group: dict[str, str]) -> dict[str, str]:
    """A group of words in the language of the page."""
    return {code: gettext(text) for code, text in group.items()}
