"""All tables at once: imported where the whole schema must be known (migrations, tests, truncation)."""

from grm.accounts import models as accounts
from grm.alarms import models as alarms
from grm.cases import attachment_models as attachments
from grm.cases import bulk_models as bulk
from grm.cases import claims_models as claims
from grm.cases import closing_models as closing
from grm.cases import handover_models as handovers
from grm.cases import links_models as links
from grm.cases import models as cases
from grm.cases import search_models as search
from grm.cases import tracking_models as tracking
from grm.deadlines import models as deadlines
from grm.escalation import models as escalation
from grm.escalation import rehearsal_models as rehearsals
from grm.exports import models as exports
from grm.intake import batch_models as batches
from grm.intake import models as intake
from grm.kernel import audit, ledger
from grm.notifications import models as notifications
from grm.notifications import stops
from grm.offices import models as offices
from grm.opendata import models as opendata
from grm.registry import models as registry
from grm.reports import models as reports
from grm.returns import models as returns
from grm.reviews import models as reviews
from grm.routing import models as routing
from grm.tallies import models as tallies
from grm.tallies import stays_models as stays
from grm.web import models as web

__all__ = [
    "accounts",
    "alarms",
    "attachments",
    "audit",
    "batches",
    "bulk",
    "cases",
    "claims",
    "closing",
    "deadlines",
    "escalation",
    "exports",
    "handovers",
    "intake",
    "ledger",
    "links",
    "notifications",
    "offices",
    "opendata",
    "registry",
    "rehearsals",
    "reports",
    "returns",
    "reviews",
    "routing",
    "search",
    "stays",
    "stops",
    "tallies",
    "tracking",
    "web",
]
