"""Event → what follows: the one page that answers "what happens when a case is escalated?"

Handlers run inside the transaction that recorded the event; they insert rows (messages, mostly) and call nobody outside.
"""

from grm.cases import events as cases
from grm.cases import informing
from grm.escalation import events as escalation
from grm.escalation import withdrawal
from grm.kernel.transaction import Reactions
from grm.notifications import acts, climbs
from grm.notifications import events as outbox
from grm.notifications import service as notifications
from grm.notifications import withdrawal as outbox_withdrawal

REACTIONS: Reactions = {
    cases.CaseFiled: (notifications.on_case_filed,),
    cases.CaseAssigned: (notifications.on_case_assigned,),
    cases.QuestionAsked: (notifications.on_question_asked,),
    cases.ComplainantAnswered: (notifications.on_complainant_answered,),
    cases.CaseReferred: (notifications.on_case_referred,),
    cases.CaseResolved: (informing.on_decided, notifications.on_case_resolved),
    cases.CaseDeclined: (informing.on_decided, notifications.on_case_declined),
    cases.CaseRecommended: (informing.on_decided, notifications.on_case_recommended),
    cases.CaseComplied: (informing.on_decided, notifications.on_case_complied),
    cases.CaseContested: (notifications.on_case_contested,),
    cases.AppealFiled: (notifications.on_appeal_filed,),
    cases.InvestigationStarted: (notifications.on_investigation_started,),
    cases.InvestigationReported: (acts.on_investigation_reported,),
    cases.ExtensionRequested: (acts.on_extension_requested,),
    cases.ExtensionDecided: (acts.on_extension_decided,),
    cases.InformationAdded: (acts.on_information_added,),
    cases.CaseResumed: (acts.on_case_resumed,),
    cases.CaseWithdrawn: (acts.on_case_withdrawn,),
    cases.CaseClosed: (notifications.on_case_closed,),
    escalation.LadderClimbed: (climbs.on_ladder_climbed,),
    escalation.DatesMoved: (outbox_withdrawal.on_dates_moved,),
    outbox.RungsUntold: (withdrawal.on_rungs_untold,),
}
