"""The words of open data: what a row is called in both languages at once, and what each table and column means."""

from typing import Protocol

from grm.web.labels import label
from grm.web.locale import gettext, speaking

Names = tuple[str, str]


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


class _Named(Protocol):
    @property
    def name_en(self) -> str: ...
    @property
    def name_bn(self) -> str: ...


TABLES = {
    "total": _("The whole country"),
    "ministry": _("By ministry or division whose office has the case, or ended it"),
    "programme": _("By programme"),
    "category": _("By what the complaint is about; all sensitive matters in one row"),
    "district": _("By the district where it happened"),
    "channel": _("By the way it came"),
    "sex": _("By sex of the complainant, where given"),
    "age_group": _("By age of the complainant, where given"),
    "disability": _("By disability of the complainant, where given"),
    "area": _("By area: a city corporation is urban, an upazila rural"),
}
"""What each table is, by its name in the file."""
COLUMNS = {
    "month": _("The month, as 2026-10. Days are days in Dhaka."),
    "edition": _("1, or more where figures were corrected later."),
    "table": _("Which table the line belongs to."),
    "code": _("What the line counts; it stays the same from month to month."),
    "name_en": _("The same in English."),
    "name_bn": _("The same in Bangla."),
    "received": _("Complaints received in the month, by the day on which they reached an office."),
    "resolved": _("Complaints answered on their merits in the month: the two next columns together."),
    "in_time": _("Of these, before the first deadline ended."),
    "not_in_time": _("Of these, later, or in time only because more time was given."),
    "declined": _("Complaints that an office declined to take up."),
    "withdrawn": _("Complaints that the complainant withdrew."),
    "open_at_month_end": _("Complaints still open at the end of the month; of the whole country only."),
}
"""The data dictionary: what each column of the file means."""
_CODES = {
    ("ministry", "other-offices"): _("Cabinet Division cell and district offices"),
    ("programme", "none"): _("No programme named"),
    ("district", "none"): _("No district named"),
    ("category", "sensitive"): _("Sensitive matters"),
    ("channel", "web"): _("Website"),
    ("channel", "333"): _("Call centre 333"),
    ("channel", "conventional"): _("On paper, by letter or e-mail, or at a desk"),
    ("channel", "suo_motu"): _("Taken up by an office itself"),
    ("area", "urban"): _("Urban"),
    ("area", "rural"): _("Rural"),
}


def names(thing: _Named) -> Names:
    """The names of an entry of the directory, English and Bangla."""
    return thing.name_en, thing.name_bn


def code_names(dimension: str, code: str) -> Names:
    """The names of a code, English and Bangla."""
    found = []
    for language in ("en", "bn"):
        with speaking(language):
            if code == "unknown":
                found.append(gettext("Not given"))
            elif (dimension, code) in _CODES:
                found.append(gettext(_CODES[dimension, code]))
            else:
                found.append(label(dimension, code))
    return found[0], found[1]
