"""The forms of the case page: one for each action, named by the fields of `docs/interface`. What is right is checked by the
service (`grm/cases/content.py`); its faults are put beside the fields here."""

from collections.abc import Sequence
from typing import Any

from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from grm.cases.action_form import ActionForm as ActionForm
from grm.cases.attachment_form import AttachForm
from grm.cases.closing_forms import RecordHearingForm, ScheduleHearingForm, SendBackForm, WriteForm
from grm.cases.collective_form import AddComplainantForm
from grm.cases.hearings import RESULTS
from grm.cases.models import CONTACT_WAYS
from grm.cases.referral_forms import FORMS as REFERRAL_FORMS
from grm.cases.reply_form import ReplyForm
from grm.cases.states import CONTACTS, DECLINE_REASONS, EXTENSION_DECISIONS, OUTCOMES, Action
from grm.web.labels import label
from grm.web.locale import gettext, lazy


class AssignForm(ActionForm):
    """Give the case to an officer of the desk."""

    assignee = SelectField(lazy("Officer"), validate_choice=False)


class NoteForm(ActionForm):
    """An internal note."""

    note = TextAreaField(lazy("Internal note"), description=lazy("The complainant never sees it."))


class AskForm(ReplyForm):
    """A question to the complainant."""

    question = TextAreaField(lazy("Question"))


class ReferForm(ActionForm):
    """Another office takes over."""

    office = SelectField(lazy("To which office"), validate_choice=False)
    reason = TextAreaField(lazy("Reason"), description=lazy("Number and clock go on."))


class ResolveForm(ReplyForm):
    """The answer."""

    outcome = RadioField(lazy("Outcome"), validate_choice=False)
    reply = TextAreaField(
        lazy("Reply to the complainant"),
        description=lazy("In the complainant's language: what was found, what was done, and why."),
    )
    visited_on: Any = StringField(lazy("When did somebody go and see?"))
    visit: Any = TextAreaField(
        lazy("What was found on the spot"),
        description=lazy(
            "This kind of complaint needs a visit: who went where, and what was seen. If nobody went, say below why."
        ),
    )
    no_visit: Any = TextAreaField(lazy("If nobody went: why not"))
    contact = RadioField(lazy("Were you in touch with the complainant?"), validate_choice=False)
    reason = TextAreaField(lazy("Why the complainant could not be reached"), [Optional()])
    root_cause = TextAreaField(lazy("Root cause"))
    prevention = TextAreaField(lazy("To prevent it from happening again"))


class InvestigateForm(ActionForm):
    """Who investigates."""

    member_1 = SelectField(lazy("Who leads the investigation"), validate_choice=False)
    member_2 = SelectField(lazy("Second member"), [Optional()], validate_choice=False)
    member_3 = SelectField(lazy("Third member"), [Optional()], validate_choice=False)
    reason = TextAreaField(
        lazy("Why it is to be investigated"),
        description=lazy(
            "For the head of office, who permits it; without one the appeal officer, else the Cabinet Division."
        ),
    )


class PermitForm(ActionForm):
    """An investigation permitted or refused."""

    decision = RadioField(lazy("May it be investigated?"), validate_choice=False)
    reason = TextAreaField(lazy("Reason"), [Optional()], description=lazy("Needed where you refuse."))


class ReportForm(ActionForm):
    """What the investigation found."""

    findings = TextAreaField(
        lazy("Report"), description=lazy("What was examined and found. The complainant does not see it.")
    )


class RequestExtensionForm(ActionForm):
    """More time to decide."""

    reason = TextAreaField(lazy("Why more time is needed"))


class DecideExtensionForm(ActionForm):
    """Granted or refused."""

    decision = RadioField(lazy("Is more time given?"), validate_choice=False)
    reason = TextAreaField(lazy("Reason"), [Optional()], description=lazy("Needed where you refuse."))


class RecommendForm(ResolveForm):
    """The cell's decision, with what the ministry is to do. The cell decides by the file and goes nowhere."""

    visited_on = visit = no_visit = None

    recommendation = TextAreaField(
        lazy("Recommendation to the ministry"), description=lazy("What is to be done. The complainant can read it.")
    )


class ComplyForm(ReplyForm):
    """What the ministry has done."""

    reply = TextAreaField(
        lazy("What was done"),
        description=lazy("For the complainant and the Cabinet Division, in the complainant's language."),
    )


class InformForm(ActionForm):
    """How somebody was told whom no message reached."""

    how = RadioField(lazy("How was the complainant told?"), validate_choice=False)
    whom = SelectField(lazy("Who was told?"), [Optional()], validate_choice=False)
    contacted_on = StringField(lazy("On which day?"))
    note = TextAreaField(lazy("Note"), [Optional()], description=lazy("Who was spoken to, the number of the letter …"))


class DeclineForm(ReplyForm):
    """Out of scope."""

    reason = RadioField(
        lazy("Reason"),
        validate_choice=False,
        description=lazy("What belongs to another office is referred, not declined."),
    )
    reply = TextAreaField(lazy("Reply to the complainant"), description=lazy("Say where they can turn instead."))


class CloseForm(ActionForm):
    """The file ends."""

    reason = TextAreaField(lazy("Reason"), [Optional()])


FORMS: dict[Action, type[ActionForm]] = {
    Action.ACKNOWLEDGE: ActionForm,
    Action.CLAIM: ActionForm,
    Action.ASSIGN: AssignForm,
    Action.NOTE: NoteForm,
    Action.ASK: AskForm,
    Action.REFER: ReferForm,
    Action.RESOLVE: ResolveForm,
    Action.INVESTIGATE: InvestigateForm,
    Action.PERMIT: PermitForm,
    Action.REPORT: ReportForm,
    Action.REQUEST_EXTENSION: RequestExtensionForm,
    Action.DECIDE_EXTENSION: DecideExtensionForm,
    Action.RECOMMEND: RecommendForm,
    Action.COMPLY: ComplyForm,
    Action.DECLINE: DeclineForm,
    Action.CLOSE: CloseForm,
    Action.INFORM: InformForm,
    Action.ADD_COMPLAINANT: AddComplainantForm,
    Action.WRITE: WriteForm,
    Action.SEND_BACK: SendBackForm,
    Action.SCHEDULE_HEARING: ScheduleHearingForm,
    Action.RECORD_HEARING: RecordHearingForm,
    Action.ATTACH: AttachForm,
    **REFERRAL_FORMS,
}


def form_for(action: Action, formdata: Any = None) -> ActionForm:
    """The form of an action, filled with what was typed, its fixed choices in place."""
    form = FORMS[action](action, formdata)
    groups = _GROUPS | {"reason": ("decline_reason", DECLINE_REASONS)} if action is Action.DECLINE else _GROUPS
    return form.offer(**{name: _choices(*group) for name, group in groups.items() if name in form})


_GROUPS: dict[str, tuple[str, Sequence[str]]] = {
    "outcome": ("outcome", OUTCOMES),
    "result": ("hearing_result", RESULTS),
    "how": ("contact_way", CONTACT_WAYS),
    "contact": ("contact", CONTACTS),
    "decision": ("extension_decision", EXTENSION_DECISIONS),
}
"""The fixed choices: the name of a field, where the words for its codes are, and the codes."""


def nothing_chosen() -> tuple[str, str]:
    """The empty first choice of a select."""
    return ("", gettext("Choose …"))


def _choices(group: str, codes: Sequence[str]) -> list[tuple[str, str]]:
    return [(code, label(group, code)) for code in codes]
