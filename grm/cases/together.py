"""Answering many alike at once: the lead's answer is given to each case linked under it, by an act of its own.

Every follower goes through the same checks as if it were answered alone, in a transaction of its own after the lead's. What is
refused stays open and linked, with the reason; pressing again tries what is left, so a process may be killed anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from grm.cases import links, queries, service
from grm.cases.quality import CODES
from grm.cases.queries import EventLine
from grm.cases.states import Status
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import Conflict, GrmError, IllegalAction, InvalidInput, NotFound
from grm.web.locale import gettext

MOST_AT_ONCE = 40
"""In one request; the page says how many are left."""
NO_CONTACT = "could_not_reach"
"""Nobody has spoken with each of them: they are informed when their message arrives, or an officer tells them."""


@dataclass
class Answered:
    """What became of the linked cases: how many have the answer now, why others were refused (code by number), how many were
    not tried yet."""

    count: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    left: int = 0


def answer_followers(actor: Actor, tracking_number: str, *, now: datetime | None = None) -> Answered:
    """Give the answer of a resolved lead to the open cases linked under it that the actor may see.

    Raises `NotFound` for a lead the actor must not know of, `IllegalAction` for one that has no answer.
    """
    session = db.session()
    case, _ = queries.find_case(session, actor, tracking_number)
    answer = _answer(session, case.id)
    if Status(case.status) not in (Status.RESOLVED, Status.CLOSED) or answer is None:
        raise IllegalAction("not-resolved-yet")
    found = [each for each in links.links_of(session, actor, tracking_number) if links.is_open_follower(each)]
    session.rollback()
    done = Answered(left=max(0, len(found) - MOST_AT_ONCE))
    for each in found[:MOST_AT_ONCE]:
        try:
            _resolve(actor, each.tracking_number, each.version, answer, now)
            done.count += 1
        except InvalidInput:
            done.refused[each.tracking_number] = "asks-for-more"
        except Conflict:
            done.refused[each.tracking_number] = "changed-meanwhile"
        except (IllegalAction, NotFound) as error:
            done.refused[each.tracking_number] = error.code
        except GrmError as error:
            done.refused[each.tracking_number] = error.code
    return done


def _answer(session: Session, case_id: int) -> EventLine | None:
    answers = [line for line in queries.events_of(session, case_id) if line.kind == "resolved"]
    return answers[-1] if answers else None


def _resolve(actor: Actor, tracking_number: str, version: int, answer: EventLine, now: datetime | None) -> None:
    texts: Mapping[str, str | None] = answer.texts
    visited_on = answer.data.get("visited_on")
    service.resolve_case(
        actor,
        tracking_number,
        version,
        outcome=str(answer.data["outcome"]),
        reply=texts.get("reply") or "",
        root_cause=texts.get("root_cause") or "",
        prevention=texts.get("prevention") or "",
        contact=NO_CONTACT,
        reason=gettext("Answered together with the case it is linked under; told by message."),
        visited_on=date.fromisoformat(visited_on) if visited_on else None,
        visit=texts.get("visit") or "",
        no_visit=texts.get("no_visit") or "",
        confirmed=CODES,
        now=now,
    )
