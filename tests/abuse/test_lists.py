"""Lists equal authorisation: no list, count, facet, search, suggestion, report, drill-down or export tells of a case whose
page would be refused.

Every page that can be looked at is walked for every role, over cases that lie in every way to it. Two things are asked of it.
Whatever case it names must open for the same officer. And nothing on it may depend on cases that do not: a list is the same,
to the letter, in a database that never had them, so that no sum, order or suggestion betrays one either.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.alarms.models import Alarm
from grm.cases import search_index
from grm.cases.bulk_models import BulkAct, BulkItem
from grm.cases.closing_models import ClosureSample, SampleMonth
from grm.cases.handover_models import Handover, HandoverItem
from grm.cases.links_models import CaseLink
from grm.cases.models import Accused, Case, Direction
from grm.deadlines.models import Deadline
from grm.escalation.models import Escalation
from tests.abuse.test_access import ACCOUNTS, ROLES, one_rehearsal, sign_in
from tests.support import build

WALK: dict[str, Sequence[str] | str] = {
    # Lists: named cases must open, and the page must be the same without the others.
    "cases.queue": (
        "/queue",
        *(f"/queue?view={view}" for view in ("unassigned", "mine", "due_soon", "overdue", "waiting", "all")),
        *("/queue?view=referred_in", "/queue?view=referred_out"),
        "/queue?programme=old-age-allowance&view=all",
        "/queue?view=all&level=2",
    ),
    "filters.filters": ("/queue/filters",),
    "bulk.form": ("/queue/bulk?action=ASSIGN&queue={queue}&scope=view&from=view%3Dall", "/queue/bulk"),
    "bulk.acts": ("/bulk",),
    "bulk.act": ("/bulk/{bulk}",),
    "search.cases": (
        "/search?q=ভাতা",
        "/search?q=01712345678",
        "/search?q=old age allowance",
        "/search?q=Dhaka",
        "/search?q=চিহ্ন",
    ),
    "directions.open_ones": ("/directions", "/directions?state=all", "/directions?state=overtaken&late=in_time"),
    "samples.overview": ("/reports/samples", "/reports/samples?state=reviewed", "/reports/samples?month=2026-01"),
    "reviews.overview": ("/reports/reviews", "/reports/reviews?month=2026-01", "/reports/reviews?office={office}"),
    "reviews.review": "the review of one case, under the case's own rule: tests/integration/test_reviews.py",
    "alarms.overview": ("/reports/alarms",),
    "alarms.alarm": ("/reports/alarms/{alarm}", "/reports/alarms/{silent}", "/reports/alarms/{behind}"),
    "people.overview": ("/people", "/people?office={office}"),
    "people.officer": ("/people/officers/{officer}",),
    "people.close_account": ("/people/officers/{officer}/close",),
    "people.preview": ("/people/officers/{officer}/dossier", "/people/officers/{gro}/dossier"),
    "people.own_dossier": ("/people/dossier",),
    "people.show_handover": ("/people/handovers/{handover}",),
    "people.appoint": ("/people/posts/{post}/appoint",),
    "people.new_account": ("/people/posts/{post}/new-account",),
    "people.end_posting": ("/people/postings/{posting}/end",),
    "overview.page": ("/reports", "/reports?by=district&only=ministry:food", "/reports?by=programme&columns=details"),
    "escalations.report": ("/reports/escalations", "/reports/escalations?level=1&scope=district"),
    "escalations.paths": ("/reports/escalations/paths", "/reports/escalations/paths?level=1"),
    "acting.form": ("/reports/act?action=REMIND&pick=figure&from=measure%3Dopen", "/reports/act"),
    "exports.file": ("/reports/exports/cases.csv", "/reports/exports/cases.csv?measure=received"),
    "older_exports.older_escalations": ("/reports/escalations.csv",),
    "report_lists.case_list": (
        "/reports/cases",
        *(f"/reports/cases?measure={measure}" for measure in ("received", "escalated")),
        "/reports/cases?measure=open&ministry=food",
    ),
    "older_exports.older_cases": ("/reports/cases.csv", "/reports/cases.csv?measure=open"),
    "exports.overview": ("/reports/exports",),
    "returns.overview": ("/reports/returns", "/reports/returns?month=2026-01"),
    "returns.one": (
        *(f"/reports/returns/2026-01/{unit}" for unit in ("office/social-welfare", "ministry/food", "country/all")),
        "/reports/returns/2026-01/programme/old-age-allowance",
    ),
    "returns.cases": (
        "/reports/returns/2026-01/office/social-welfare/cases",
        "/reports/returns/2026-01/country/all/cases?side=complaint&column=received",
    ),
    "rehearsals.overview": ("/admin/rehearsals",),
    "rehearsals.show": ("/admin/rehearsals/{rehearsal}",),
    "rehearsals.export": ("/admin/rehearsals/{rehearsal}.csv",),
    "desk.filed": ("/desk/filed",),
    # Pages of a case that opens: they may name others.
    "cases.case": ("/cases/{case}",),
    "cases.why": ("/cases/{case}/why",),
    "links.case_links": ("/cases/{case}/links",),
    "case_registry.look_up": ("/cases/{case}/registry",),
    "case_file.case_file": ("/cases/{case}/file",),
    # Pages that have nothing to do with any case; walked all the same.
    **dict.fromkeys(
        ("intake.home", "intake.new", "tracking.track", "desk.new", "administration.administration", "filters.keys"),
        ("{rule}",),
    ),
    **dict.fromkeys(
        ("canned.general", "canned.own", "registry.look_up", "accounts.own_password", "rehearsals.example"), ("{rule}",)
    ),
    **dict.fromkeys(("guide.programmes", "guide.help_overview", "batches.overview"), ("{rule}",)),
    "guide.programme": ("/programmes/old-age-allowance",),
    "guide.help_topic": ("/help/questions",),
    # Not walked.
    "guide.robots": "for search engines: where the list of pages is",
    "guide.sitemap": "for search engines: addresses of public pages",
    "opendata.overview": "published for everybody: frozen sums of a month, small ones withheld",
    "opendata.download": "published for everybody: frozen sums of a month, small ones withheld",
    "static": "files of the program",
    "health.healthz": "sums over the whole system, for the operator's monitor",
    "metrics.metrics": "sums over the whole system, for the operator's monitor",
    "notifications.dev_outbox": "only in development, and 404 elsewhere",
    "notifications.take_receipt": "for the gateway: it answers with a word",
    "notifications.take_described_receipt": "for the gateway: it answers with a word",
    "accounts.login": "for who is not signed in",
    "intake.sent": "the receipt of who has just filed, by a key of theirs",
    "desk.receipt": "the receipt of an own filing: tests/integration/test_desk.py",
    "attachments.attachment": "one file of one case, under the case's own rule: tests/integration/test_attachments.py",
    **dict.fromkeys(
        ("batches.one", "batches.results"),
        "an officer's own file, and what became of the rows handed in: tests/integration/test_registers.py",
    ),
    "exports.fetch": "an officer's own file, as of when it was made: tests/integration/test_exports.py",
    "canned.one_general": "one text, which names no case",
    "canned.one_own": "one text, which names no case",
}
"""Every route that can be got: addresses to walk, or why not."""

VALUES = {"which": "policies"}
"""For the placeholders of addresses that name no case."""

CONNECTED = {"own", "own_held", "own_ended", "own_waiting", "sent_in", "part_here_of_other", "filed_by_desk"}
"""Cases that have to do with others, which not everybody may see."""

REPORTS = {"report_lists.case_list", "exports.file", "older_exports.older_cases", "older_exports.older_escalations"}
LINKED = {"own", "own_held", "own_ended", "own_waiting", "own_sensitive", "other", "other_ended", "filed_by_desk"}
"""Cases that are answered together with others."""

SUMS = {
    "admin": {
        "/people/officers/{officer}/close": "how many cases an officer holds: an account is closed only when there are none",
        "/people/handovers/{handover}": "how many cases went over: the record of the administrators' own act",
    }
}
"""What may depend on cases that do not open to the role, and why; it names none of them."""

NAMES_CASES = {
    "gro": {"cases.queue", "bulk.form", "bulk.act", "search.cases", "directions.open_ones"},
    "cell": {"cases.queue", "search.cases", "directions.open_ones", "samples.overview", "alarms.alarm", *REPORTS},
    "head": {"search.cases", "people.preview", "people.show_handover", *REPORTS},
    "admin": set(),
    "anonymous": set(),
}
"""Lists that must name some case to these roles, so that the walk has walked past something."""


@dataclass(frozen=True)
class World:
    """The seeded cases by name, and what else the addresses need."""

    numbers: dict[str, str]
    ids: dict[str, int]
    values: dict[str, str]


@pytest.fixture
def world(session: Session) -> World:
    """Cases that lie in every way to the officers of the Ministry of Social Welfare, of another, of a district and the cell."""
    here, there, cell = (build.office_id(session, name) for name in ("social-welfare", "food", "cell"))
    officers = {
        role: build.officer_id(session, ACCOUNTS[role]) for role in ("gro", "officer", "appeal", "cell", "other")
    }
    district = build.actor(session, ACCOUNTS["desk"]).seats[0].office_id
    head = build.officer(session, ACCOUNTS["head"], password_hash=_hash())
    posting = build.posting(session, build.post_id(session, here, "head"), head.id)
    made: dict[str, Case] = {}

    def add(name: str, office: int = here, desk: str = "gro", **more: Any) -> Case:
        details = f"ছয় মাস ধরে ভাতা পাই না, চিহ্ন{name.replace('_', '')}"
        made[name] = build.case(session, office, desk, details=details, **{"level": 2, **more})
        return made[name]

    sent: dict[str, Any] = {"referred_from_desk": "gro", "referral_state": "offered", "referral_count": 1}
    for office, where in ((here, "own"), (there, "other")):
        add(where, office)
        add(f"{where}_held", office, assignee=officers["officer" if office == here else "other"], status="in_progress")
        add(f"{where}_sensitive", office, "appeal", category="bribe-demand")
        add(f"{where}_ended", office, status="closed", outcome="answered", ended_at=build.dhaka(2026, 1, 20))
    add("own_waiting", status="waiting", is_paused=True)
    add("own_sensitive_low", is_sensitive=True)
    add("filed_by_desk", there, channel="assisted", filed_by_office_id=district)
    add("filed_by_desk_sensitive", there, "appeal", category="bribe-demand", filed_by_office_id=district)
    add("sent_out", there, referred_from_office_id=here, **sent)
    add("sent_in", here, referred_from_office_id=there, **sent)
    add(
        "sent_on_from_appeal",
        there,
        "appeal",
        is_sensitive=True,
        referred_from_office_id=here,
        **{**sent, "referred_from_desk": "appeal"},
    )
    add("about_gro", desk="appeal", accused_officers=[officers["gro"]], assignee=officers["gro"])
    add("about_appeal", cell, "cell", accused_officers=[officers["appeal"]])
    add("about_ministry", cell, "cell", accused_office=here)
    add("about_cell_officer", accused_officers=[officers["cell"]])
    post = add("about_post", desk="appeal", has_accused=True)
    session.add(Accused(case_id=post.id, office_id=here, post_id=build.post_id(session, here, "gro")))
    for part, parent in (
        ("part_here_of_other", "other"),
        ("part_there_of_own", "own"),
        ("part_there_of_sensitive", "own_sensitive"),
    ):
        row = add(
            part,
            here if part == "part_here_of_other" else there,
            referred_from_office_id=made[parent].office_id,
            **sent,
        )
        row.parent_id, row.submission_id, row.secret_mac = made[parent].id, None, None
    for number, (follower, lead, kind) in enumerate(
        [
            ("own_ended", "own", "merged"),
            ("other_ended", "own_held", "merged"),
            ("own_waiting", "other", "linked"),
            ("own_sensitive", "own_held", "linked"),
            ("filed_by_desk", "own", "linked"),
        ]
    ):
        link = CaseLink(
            case_id=made[follower].id,
            lead_id=made[lead].id,
            kind=kind,
            linked_by_id=officers["cell"],
            linked_at=build.dhaka(2026, 1, 20, number + 1),
            clock_state="running" if kind == "merged" else None,
        )
        session.add(link)
        if kind == "merged":
            made[follower].outcome = "merged"
    session.flush()
    directed = ("own", "other", "own_sensitive", "about_gro", "sent_out")
    for name in directed:
        running = build.deadline(session, made[name].id)
        columns = {
            each.key: getattr(running, each.key) for each in Deadline.__mapper__.column_attrs if each.key != "id"
        }
        session.add(Deadline(**{**columns, "kind": "direct", "epoch": 1}))
        session.add(
            Direction(
                case_id=made[name].id, seq=1, epoch=1, issued_by_id=officers["cell"], issued_at=build.dhaka(2026, 1, 21)
            )
        )
    session.add(
        SampleMonth(
            month=build.dhaka(2026, 1, 1).date(), seed="x", drawn_at=build.dhaka(2026, 2, 1), closures=2, drawn=2
        )
    )
    session.flush()
    for name in ("own_ended", "other_ended"):
        session.add(
            ClosureSample(
                month=build.dhaka(2026, 1, 1).date(),
                case_id=made[name].id,
                office_id=made[name].office_id,
                drawn_at=build.dhaka(2026, 2, 1),
            )
        )
    for clock_row in session.scalars(select(Deadline).where(Deadline.kind == "resolve")):
        session.add(
            Escalation(
                case_id=clock_row.case_id,
                deadline_id=clock_row.id,
                epoch=1,
                level=1,
                due_at=clock_row.due_at,
                role="gro",
                escalated_at=build.dhaka(2026, 2, 20),
                office_id=here,
                is_vacant=True,
            )
        )
        clock_row.set_aside_at, clock_row.set_aside_why = build.dhaka(2026, 2, 21), "a test"
    act = BulkAct(
        officer_id=officers["gro"],
        asked_as="gro",
        action="ASSIGN",
        office_id=here,
        desk="gro",
        fields={},
        state="running",
        asked_at=build.dhaka(2026, 1, 22),
    )
    session.add(act)
    session.flush()
    for name in ("own", "own_waiting", "own_sensitive", "about_gro", "other", "sent_out"):
        session.add(BulkItem(bulk_act_id=act.id, case_id=made[name].id, version=1))
    handover = Handover(officer_id=officers["officer"], office_id=here, reason="work_only", at=build.dhaka(2026, 1, 23))
    session.add(handover)
    session.flush()
    for name in ("own", "own_sensitive", "about_gro", "sent_out", "part_there_of_own"):
        held = {"kind": "case", "office_id": made[name].office_id, "to_officer_id": officers["gro"]}
        session.add(HandoverItem(handover_id=handover.id, case_id=made[name].id, **held))
    search_index.index_cases(session, [row.id for row in made.values()])
    raised = _alarms(session, made["own"])
    rehearsal = one_rehearsal(session, made["own"])
    session.commit()
    return World(
        {name: row.tracking_number for name, row in made.items()},
        {name: row.id for name, row in made.items()},
        {
            "queue": f"{here}-gro",
            "bulk": str(act.id),
            "rehearsal": rehearsal,
            "handover": str(handover.id),
            "office": str(here),
            "officer": str(officers["officer"]),
            "gro": str(officers["gro"]),
            "post": str(build.post_id(session, here, "gro")),
            "posting": str(posting.id),
            **raised,
            **VALUES,
        },
    )


def _alarms(session: Session, case: Case) -> dict[str, str]:
    """An alarm of each kind that lists cases: where and when these came, and their office."""
    on = case.received_on
    days = {"starts_on": on, "until_on": on, "raised_at": build.dhaka(2026, 1, 24), "seen_on": on}
    place = {"district_id": case.district_id}
    reasons = [{"code": "late", "now": 40.0, "before": 10.0}]
    made = {
        "alarm": Alarm(
            kind="surge", subject="1", category_id=case.category_id, evidence={"usual": 1.0}, **place, **days
        ),
        "silent": Alarm(kind="silent", subject="2", evidence={"usual": 3.0, "days": 20}, **place, **days),
        "behind": Alarm(kind="behind", subject="3", evidence={"reasons": reasons}, office_id=case.office_id, **days),
    }
    session.add_all(made.values())
    session.flush()
    return {name: str(each.id) for name, each in made.items()}


def _hash() -> str:
    from grm.accounts.passwords import hash_password

    return hash_password("demo")


def addresses(app: Flask, world: World) -> Iterator[tuple[str, str]]:
    """Endpoint and address of every page to walk; those of a case still with their placeholder."""
    rules = {rule.endpoint: rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    for endpoint, said in WALK.items():
        for address in () if isinstance(said, str) else said:
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rules[endpoint].rule) if address == "{rule}" else address
            yield endpoint, path.format(**world.values, case="{case}")


def folded(body: str) -> str:
    """A page's text so that a tracking number is found in it however it is written."""
    return body.translate(str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789", "- –")).upper()


def named(body: str, world: World) -> set[str]:
    """The seeded cases that a page names: by number, or by a word that only their text has."""
    page = folded(body)
    return {
        name
        for name, number in world.numbers.items()
        if number in page or f"চিহ্ন{name.replace('_', '')},".upper() in page
    }


def settled(body: str) -> str:
    """A page without what differs each time: form tokens, the request's id, and what o'clock it is."""
    body = re.sub(r'name="(csrf_token|draft|opening|request)" value="[^"]+"', "", body)
    body = re.sub(r"\b[0-9a-f]{12}\b", "", body)
    return re.sub(r"\b[0-9০-৯]{2}:[0-9০-৯]{2}\b", "", body)


def get(client: FlaskClient, address: str) -> str:
    """A page with its status and where it leads."""
    answer = client.get(address)
    return f"{answer.status_code} {answer.headers.get('Location', '')}\n{answer.get_data(as_text=True)}"


def without(session: Session, ids: Sequence[int]) -> None:
    """Take cases out of the database with everything that hangs on them, as if they had never been filed."""
    statement = text(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name IN ('case_id', 'lead_id')"
    )
    session.execute(text("SET LOCAL session_replication_role = replica"))
    for table, column in session.execute(statement).all():
        session.execute(text(f"DELETE FROM {table} WHERE {column} = ANY(:ids)"), {"ids": list(ids)})
    session.execute(text("DELETE FROM cases WHERE id = ANY(:ids)"), {"ids": list(ids)})
    session.commit()


@pytest.mark.parametrize("role", [role for role in ROLES if role != "other"])
def test_no_page_tells_of_a_case_that_would_be_refused(app: Flask, session: Session, world: World, role: str) -> None:
    client = sign_in(app, role)
    pages = {name: get(client, f"/cases/{number}") for name, number in world.numbers.items()}
    opens = {name for name, page in pages.items() if page.startswith("200")}
    hidden = set(world.numbers) - opens
    assert hidden, "every role has something that it may not see"
    told = {f"/cases/<{name}>": named(pages[name], world) for name in opens}
    lists: dict[str, str] = {}
    shown: dict[str, set[str]] = {}
    for endpoint, address in addresses(app, world):
        if "{case}" in address:
            for name in opens & CONNECTED if endpoint != "cases.case" else ():
                found = named(get(client, address.format(case=world.numbers[name])), world)
                told[address.format(case=f"<{name}>")] = found
            continue
        lists[address] = get(client, address)
        told[address] = named(lists[address], world)
        shown[endpoint] = shown.get(endpoint, set()) | told[address]
    strays = {address: found - opens for address, found in told.items() if found - opens}
    assert strays == {}, "these name cases that do not open"
    lacking = {endpoint for endpoint in NAMES_CASES.get(role, set()) if not shown[endpoint]}
    assert lacking == set(), "these should have named some case"

    # Typed in full, a number comes back in the field for it: here only the comparison can tell.
    typed = [world.numbers[name] for name in sorted(hidden)[::4]]
    picked = "&".join(f"case={number}.1" for number in [*typed, world.numbers["own"]])
    own = world.numbers[min(opens - LINKED, default="own")]
    for address in (
        *(f"/search?q={number}" for number in typed),
        *(f"/queue?number={number}" for number in typed[:2]),
        *(f"/cases/{own}/links?number={number}" for number in typed[:2]),
        f"/queue/bulk?action=ASSIGN&queue={world.values['queue']}&{picked}",
    ):
        lists[address] = get(client, address)
    without(session, [world.ids[name] for name in hidden])
    different = {address for address, page in lists.items() if settled(get(client, address)) != settled(page)}
    sums = {address.format(**world.values) for address in SUMS.get(role, {})}
    assert different - sums == set(), "these are otherwise without the cases that do not open"

    if role in NAMES_CASES:  # and a page that named some is not the same without those, or it would compare nothing
        without(session, [world.ids[name] for name in opens])
        named_some = [address for address in lists if told.get(address)]
        unmoved = [address for address in named_some if settled(get(client, address)) == settled(lists[address])]
        assert unmoved == []


def test_every_page_is_walked_or_says_why_not(app: Flask) -> None:
    gets = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert gets - set(WALK) == set(), "say in WALK how to look at these"
    assert set(WALK) - gets == set()
