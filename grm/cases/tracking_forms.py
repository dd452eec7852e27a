"""The forms of the tracking page."""

from typing import Any

from wtforms import BooleanField, MultipleFileField, RadioField, StringField, TextAreaField

from grm.cases.ratings import STARS
from grm.files.kinds import ACCEPT
from grm.web.forms import BaseForm
from grm.web.locale import lazy


class CodesForm(BaseForm):
    """The two codes of the receipt."""

    tracking_number = StringField(lazy("Tracking number"))
    secret = StringField(lazy("Secret code"))


class LostForm(BaseForm):
    """Number and phone of who has lost the secret code."""

    lost_number = StringField(lazy("Tracking number"))
    phone = StringField(lazy("The mobile number you gave when you complained"))


class CodeForm(BaseForm):
    """The code that came by SMS."""

    otp = StringField(lazy("Code from the SMS"))


STARS_IN_WORDS = {
    1: lazy("1 – very bad"),
    2: lazy("2 – bad"),
    3: lazy("3 – neither good nor bad"),
    4: lazy("4 – good"),
    5: lazy("5 – very good"),
}


class ActsForm(BaseForm):
    """What the complainant may say on the status page; which field counts is told by the button."""

    answer = TextAreaField(lazy("Your answer"))
    answer_files = MultipleFileField(
        lazy("Photos or papers"), name="attachments", id="answer-files", render_kw={"accept": ACCEPT}
    )
    information_files = MultipleFileField(
        lazy("Photos or papers"), name="attachments", id="information-files", render_kw={"accept": ACCEPT}
    )
    information = TextAreaField(
        lazy("What do you want to add?"), description=lazy("Something new, a correction, or that it is solved.")
    )
    not_solved = TextAreaField(
        lazy("What is not solved?"), description=lazy("In your own words. A few words are enough.")
    )
    grounds = TextAreaField(lazy("Why do you appeal?"), description=lazy("In your own words. A few words are enough."))
    reason = TextAreaField(lazy("Why do you withdraw it?"), description=lazy("You need not say why."))
    confirm = BooleanField(lazy("Yes, I want to withdraw this complaint. It then ends."))
    stars = RadioField(lazy("How good was the answer?"), validate_choice=False)
    comment = TextAreaField(lazy("Do you want to say more?"), description=lazy("The office reads this."))

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.stars.choices = [(str(each), STARS_IN_WORDS[each]) for each in STARS]


FIELD_OF = {
    "answer": "answer",
    "add_information": "information",
    "withdraw": "reason",
    "contest": "not_solved",
    "appeal": "grounds",
    "escalate": "",
    "rate": "comment",
}
"""What the complainant may do, with the field whose words count; empty where there are none."""
