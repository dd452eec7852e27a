"""Event → what follows: the one page that answers "what happens when a case is escalated?"

Handlers run inside the transaction that recorded the event; they insert rows (messages, mostly) and call nobody outside.
"""

from grm.alarms import events as alarms
from grm.alarms import notices as alarm_notices
from grm.cases import events as cases
from grm.cases import informing, merging
from grm.escalation import asked, withdrawal
from grm.escalation import events as escalation
from grm.exports import events as exports
from grm.exports import notices as export_notices
from grm.kernel.transaction import Reactions
from grm.notifications import acts, bulk, climbs, closing, codes, handovers, referrals, reminders, together
from grm.notifications import events as outbox
from grm.notifications import service as notifications
from grm.notifications import withdrawal as outbox_withdrawal
from grm.reviews import events as reviews
from grm.reviews import notices as review_notices

REACTIONS: Reactions = {
    cases.CaseFiled: (notifications.on_case_filed,),
    cases.CaseAssigned: (notifications.on_case_assigned,),
    cases.QuestionAsked: (notifications.on_question_asked,),
    cases.ComplainantAnswered: (notifications.on_complainant_answered,),
    cases.CaseReferred: (notifications.on_case_referred,),
    cases.CaseReturned: (referrals.on_case_returned,),
    cases.SubcaseSent: (referrals.on_subcase_sent,),
    cases.SubcaseBack: (referrals.on_subcase_back,),
    cases.CaseDirected: (referrals.on_case_directed,),
    cases.DirectionAnswered: (referrals.on_direction_answered,),
    cases.CaseTakenUp: (referrals.on_case_taken_up,),
    cases.CaseReminded: (reminders.on_case_reminded,),
    cases.CaseResolved: (informing.on_decided, notifications.on_case_resolved, merging.on_lead_decided),
    cases.CaseDeclined: (informing.on_decided, notifications.on_case_declined, merging.on_lead_decided),
    cases.CaseRecommended: (informing.on_decided, notifications.on_case_recommended, merging.on_lead_decided),
    cases.CaseComplied: (informing.on_decided, notifications.on_case_complied, merging.on_lead_decided),
    cases.CaseMerged: (together.on_case_merged,),
    cases.CaseUnmerged: (together.on_case_unmerged,),
    cases.CaseAnsweredTogether: (informing.on_decided, together.on_answered_together),
    cases.ComplainantAdded: (together.on_complainant_added,),
    cases.CaseContested: (notifications.on_case_contested, merging.on_follower_gone),
    cases.AppealFiled: (notifications.on_appeal_filed, merging.on_follower_gone),
    cases.InvestigationStarted: (notifications.on_investigation_started,),
    cases.InvestigationReported: (acts.on_investigation_reported,),
    cases.PermissionAsked: (acts.on_permission_asked,),
    cases.PermissionDecided: (acts.on_permission_decided,),
    cases.ExtensionRequested: (acts.on_extension_requested,),
    cases.ExtensionDecided: (acts.on_extension_decided,),
    cases.InformationAdded: (acts.on_information_added,),
    cases.CodeAsked: (codes.on_code_asked,),
    cases.EscalationAsked: (asked.on_escalation_asked,),
    cases.CaseResumed: (acts.on_case_resumed,),
    cases.CaseWithdrawn: (acts.on_case_withdrawn, merging.on_follower_gone, merging.on_lead_withdrawn),
    cases.CaseClosed: (notifications.on_case_closed,),
    cases.LetterWritten: (closing.on_letter_written,),
    cases.CaseSentBack: (merging.on_lead_sent_back, closing.on_case_sent_back),
    cases.HearingSet: (closing.on_hearing_set,),
    cases.HearingCancelled: (closing.on_hearing_cancelled,),
    cases.HearingNear: (closing.on_hearing_near,),
    cases.WorkHandedOver: (handovers.on_work_handed_over,),
    cases.HandoverDue: (handovers.on_handover_due,),
    cases.BulkAsked: (bulk.on_bulk_asked,),
    cases.BulkDecided: (bulk.on_bulk_decided,),
    exports.FileReady: (export_notices.on_file_ready,),
    alarms.AlarmsRaised: (alarm_notices.on_alarms_raised,),
    reviews.FindingMade: (review_notices.on_finding_made,),
    escalation.LadderClimbed: (climbs.on_ladder_climbed,),
    escalation.DatesMoved: (outbox_withdrawal.on_dates_moved,),
    outbox.RungsUntold: (withdrawal.on_rungs_untold,),
}
