"""What the forms have in common in which an officer writes to the complainant: canned texts to begin with, and the questions
that a reply raises before it is taken. Nothing needs a script, and nothing typed is lost."""

from collections.abc import Sequence
from typing import Any

from grm.cases import canned, closing_words
from grm.cases.action_form import ActionForm
from grm.cases.canned import Canned
from grm.cases.closing import Questioned
from grm.cases.quality import CODES, Question
from grm.cases.states import Action
from grm.kernel.text import latin_digits


class ReplyForm(ActionForm):
    """A form with a letter in it. `questions` are put beside the letter, each with a box to confirm it."""

    questions: tuple[Question, ...] = ()
    offered: tuple[Canned, ...] = ()
    canned_id: int | None = None
    """The text to insert when the form is shown."""

    def __init__(self, action: Action, formdata: Any = None) -> None:
        super().__init__(action, formdata)
        ticked: Sequence[str] = formdata.getlist("confirmed") if hasattr(formdata, "getlist") else ()
        self.confirmed = tuple(code for code in CODES if code in ticked)

    @property
    def letter_field(self) -> str:
        """The name of the field that the complainant reads."""
        return canned.FITS[self.action][0]

    def choose(self, typed_id: str) -> None:
        """Let a canned text be inserted when the form is shown; a number that is none inserts nothing."""
        plain = latin_digits(typed_id.strip())
        self.canned_id = int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None

    def insert(self, text: str) -> None:
        """Put a text below what is typed already."""
        field = self[self.letter_field]
        if text:
            typed = str(field.data or "").rstrip()
            field.data = f"{typed}\n\n{text}" if typed else text
        self.canned_id = None

    def ask(self, error: Questioned) -> None:
        """Put the questions beside the letter."""
        self.questions = error.questions
        self[error.field].errors = [closing_words.question(each) for each in error.questions]

    def is_confirmed(self, question: Question) -> bool:
        """Whether its box was ticked."""
        return question.code in self.confirmed

    def typed(self) -> dict[str, str]:
        """What the fields hold, as text; `confirmed` has the codes whose boxes were ticked."""
        return super().typed() | {"confirmed": " ".join(self.confirmed)}
