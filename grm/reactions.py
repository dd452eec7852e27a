"""Event → what follows: the one page that answers "what happens when a case is escalated?"

Handlers run inside the transaction that recorded the event; they insert rows (messages, mostly) and call nobody outside.
"""

from grm.cases import events as cases
from grm.escalation import events as escalation
from grm.kernel.transaction import Reactions
from grm.notifications import service as notifications

REACTIONS: Reactions = {
    cases.CaseFiled: (notifications.on_case_filed,),
    cases.CaseAssigned: (notifications.on_case_assigned,),
    cases.QuestionAsked: (notifications.on_question_asked,),
    cases.ComplainantAnswered: (notifications.on_complainant_answered,),
    cases.CaseReferred: (notifications.on_case_referred,),
    cases.CaseResolved: (notifications.on_case_resolved,),
    cases.CaseDeclined: (notifications.on_case_declined,),
    cases.CaseClosed: (notifications.on_case_closed,),
    escalation.LadderClimbed: (notifications.on_ladder_climbed,),
}
