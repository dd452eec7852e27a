"""One rule of sight, said twice: `permissions.may_see` for one case, `queries.visible_to` for all of them in SQL."""

from itertools import product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases.models import Accused, Case
from grm.cases.permissions import Accusation, may_see
from grm.cases.queries import facts_of, visible_to
from grm.kernel.actor import ROLES, SYSTEM, Actor, Seat, complainant
from tests.support import build

OFFICERS = ("gro.social-welfare", "appeal.social-welfare", "gro.food", "cabinet", "desk.dhaka")


def cases_of_every_kind(session: Session) -> list[tuple[Case, tuple[Accusation, ...]]]:
    """Two offices, three desks, sensitive or not, filed at a desk or not; and every way to accuse."""
    here, there = build.office_id(session), build.office_id(session, "food")
    desk_office = build.actor(session, "desk.dhaka").seats[0].office_id
    officers = [build.officer_id(session, username) for username in OFFICERS[:2]]
    post = build.post_id(session, here, "gro")
    made: list[tuple[Case, tuple[Accusation, ...]]] = []
    for office, desk, is_sensitive, filed_by in product(
        (here, there), ("gro", "appeal", "cell"), (False, True), (None, desk_office)
    ):
        row = build.case(session, office, desk, is_sensitive=is_sensitive, filed_by_office_id=filed_by)
        made.append((row, ()))
    # Sent on by a desk, and parts of a case: where it lies and where it came from both count.
    for sender, desk, is_sensitive, is_part in product((here, there), ("gro", "appeal"), (False, True), (False, True)):
        other = there if sender == here else here
        sent: dict[str, Any] = {
            "referred_from_office_id": sender,
            "referred_from_desk": desk,
            "referral_state": "offered",
        }
        row = build.case(session, other, desk, is_sensitive=is_sensitive, **sent)
        if is_part:
            row.parent_id, row.submission_id, row.secret_mac = made[0][0].id, None, None
        made.append((row, ()))
    for accusation in (
        Accusation(officers[0], here, post),
        Accusation(officers[1], here, None),
        Accusation(None, here, post),
        Accusation(None, here, None),
        Accusation(None, desk_office, None),
    ):
        for desk in ("gro", "appeal"):
            sent = {"referred_from_office_id": here, "referred_from_desk": desk} if accusation.post_id is None else {}
            where = there if sent else here
            row = build.case(session, where, desk, has_accused=True, filed_by_office_id=desk_office, **sent)
            session.add(
                Accused(
                    case_id=row.id,
                    officer_id=accusation.officer_id,
                    office_id=accusation.office_id,
                    post_id=accusation.post_id,
                )
            )
            made.append((row, (accusation,)))
    session.flush()
    return made


def seats(session: Session) -> st.SearchStrategy[tuple[Seat, ...]]:
    here, there = build.office_id(session), build.office_id(session, "food")
    desk_office = build.actor(session, "desk.dhaka").seats[0].office_id
    posts = [build.post_id(session, here, "gro"), build.post_id(session, here, "appeal_officer"), 999_999]
    seat = st.builds(
        Seat,
        office_id=st.sampled_from([here, there, desk_office, build.office_id(session, "cell")]),
        office_kind=st.just("ministry"),
        ministry_id=st.none(),
        district_code=st.none(),
        post_id=st.sampled_from(posts),
        role=st.sampled_from(ROLES),
        is_alternate=st.booleans(),
    )
    return st.lists(seat, max_size=3).map(tuple)


def test_list_and_page_agree_for_any_actor(session: Session) -> None:
    made = cases_of_every_kind(session)
    officers = [build.officer_id(session, username) for username in OFFICERS]
    numbers = [row.tracking_number for row, _ in made[:3]]
    actors = st.one_of(
        st.builds(
            lambda officer_id, seats, is_admin, overseen: Actor(
                officer_id, "Officer", "officer", seats, is_admin, overseen_office_ids=overseen
            ),
            st.sampled_from([*officers, 999_999]),
            seats(session),
            st.booleans(),
            st.sampled_from([frozenset(), frozenset({build.office_id(session)})]),
        ),
        st.sampled_from([SYSTEM, complainant("0000000000000"), *map(complainant, numbers)]),
    )
    seen: set[int] = set()

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(actors)
    def check(actor: Actor) -> None:
        listed = set(session.scalars(select(Case.id).where(visible_to(actor))))
        opened = {row.id for row, accusations in made if may_see(actor, facts(row, accusations))}
        assert listed == opened
        seen.add(len(listed))

    check()
    assert len(seen) > 5, "the generated actors were all alike"


def facts(row: Case, accusations: tuple[Accusation, ...]) -> Any:
    return facts_of(row, [(a.officer_id, a.office_id, a.post_id) for a in accusations], None)


def test_no_officer_of_the_demo_sees_a_case_that_accuses_him(session: Session) -> None:
    gro = build.officer_id(session, "gro.social-welfare")
    row = build.case(session, desk="appeal", accused_officers=[gro])
    whole = build.case(session, build.office_id(session, "cell"), "cell", accused_office=build.office_id(session))
    for username, sees_first, sees_second in (
        ("gro.social-welfare", False, False),
        ("officer.social-welfare", False, False),
        ("appeal.social-welfare", True, False),
        ("cabinet", True, True),
        ("desk.dhaka", False, False),
        ("admin", False, False),
    ):
        actor = build.actor(session, username)
        listed = set(session.scalars(select(Case.id).where(visible_to(actor))))
        assert (row.id in listed, whole.id in listed) == (sees_first, sees_second), username
