"""Who may open what: every URL, every role, cases of one's own office and of others, said in one literal table.

Read down a column to see all that a role can reach. A route that is not in the table fails the test, so nobody can add a page
without saying who it is for. Forbidden looks like missing: 404 and the same page.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from grm.accounts.models import Officer
from grm.accounts.passwords import hash_password
from grm.alarms.models import Alarm
from grm.cases.bulk_models import BulkAct, BulkItem
from grm.cases.closing_models import CannedReply, ClosureSample, SampleMonth
from grm.cases.handover_models import Handover, HandoverItem
from grm.cases.models import Case
from grm.escalation.rehearsal_models import Rehearsal
from grm.exports import sight
from grm.exports.models import ExportJob
from grm.intake import desk_drafts
from grm.intake.batch_models import RegisterBatch
from grm.intake.service import new_token
from grm.offices.queries import directory
from tests.support import build

ROLES = ("anonymous", "gro", "officer", "appeal", "head", "cell", "desk", "admin", "other")
"""`other` is the GRO of another ministry; the rest, but for cell, desk and admin, are of the ministry that has `{own}`."""

# Cases: {own} lies at the ministry's GRO desk; {other} at another ministry's; {sensitive} is about a bribe, at the appeal
# desk; {about_gro} accuses the GRO, at the appeal desk; {about_appeal} accuses the appeal officer, at the cell;
# {filed} was filed by the district's desk for somebody, and lies at another ministry. {file} is attached to {own}.
TABLE = """
route                                anonymous gro     officer appeal  head    cell    desk    admin   other
GET  /                               200       200     200     200     200     200     200     200     200
GET  /programmes                     200       200     200     200     200     200     200     200     200
GET  /programmes/old-age-allowance   200       200     200     200     200     200     200     200     200
GET  /programmes/no-such             404       404     404     404     404     404     404     404     404
GET  /help                           200       200     200     200     200     200     200     200     200
GET  /help/questions                 200       200     200     200     200     200     200     200     200
GET  /help/no-such                   404       404     404     404     404     404     404     404     404
GET  /open-data                      200       200     200     200     200     200     200     200     200
GET  /open-data/grm-2026-01.csv      404       404     404     404     404     404     404     404     404
GET  /robots.txt                     200       200     200     200     200     200     200     200     200
GET  /sitemap.xml                    200       200     200     200     200     200     200     200     200
GET  /static/grm.css                 200       200     200     200     200     200     200     200     200
GET  /healthz                        ok        ok      ok      ok      ok      ok      ok      ok      ok
GET  /metrics                        200       200     200     200     200     200     200     200     200
GET  /dev/outbox                     404       404     404     404     404     404     404     404     404
GET  /complaints/new                 200       200     200     200     200     200     200     200     200
POST /complaints/new                 422       422     422     422     422     422     422     422     422
GET  /complaints/sent                200       200     200     200     200     200     200     200     200
POST /complaints/sent                303       303     303     303     303     303     303     303     303
POST /complaints/files               303       303     303     303     303     303     303     303     303
GET  /track                          200       200     200     200     200     200     200     200     200
POST /track                          422       422     422     422     422     422     422     422     422
POST /track/file                     303       303     303     303     303     303     303     303     303
GET  /gateway/sms/receipts           401       401     401     401     401     401     401     401     401
POST /gateway/sms/receipts           401       401     401     401     401     401     401     401     401
GET  /gateway/sms/receipts/any       401       401     401     401     401     401     401     401     401
POST /gateway/sms/receipts/any       401       401     401     401     401     401     401     401     401
GET  /login                          200       303     303     303     303     303     303     303     303
POST /login                          422       422     422     422     422     422     422     422     422
GET  /queue                          login     200     200     200     200     200     303     303     200
GET  /queue/bulk                     login     422     422     422     404     422     404     404     422
POST /queue/bulk                     401       422     422     422     404     422     404     404     422
GET  /queue/filters                  login     200     200     200     200     200     404     404     200
POST /queue/filters                  401       422     422     422     422     422     404     404     422
GET  /bulk                           login     200     200     200     200     200     404     404     200
GET  /bulk/{bulk}                    login     200     200     200     200     200     404     404     404
POST /bulk/{bulk}                    401       422     404     422     422     422     404     404     404
GET  /help/keys                      login     200     200     200     200     200     200     200     200
POST /help/keys                      303       303     303     303     303     303     303     303     303
GET  /search                         login     200     200     200     200     200     200     404     200
GET  /registry                       login     200     200     200     404     200     200     404     200
POST /registry                       401       422     422     422     404     422     422     404     422
GET  /directions                     login     200     404     200     200     200     404     404     200
GET  /desk/new                       login     200     404     404     404     200     200     404     200
POST /desk/new                       401       422     404     404     404     422     422     404     422
GET  /desk/batches                   login     200     404     404     404     200     200     404     200
POST /desk/batches                   401       422     404     404     404     422     422     404     422
GET  /desk/batches/{register}        login     404     404     404     404     404     200     404     404
POST /desk/batches/{register}        401       404     404     404     404     404     422     404     404
GET  /desk/batches/{register}/results.xlsx login 404   404     404     404     404     200     404     404
GET  /desk/filed                     login     200     404     404     404     200     200     404     200
POST /desk/drafts                    401       303     404     404     404     303     303     404     303
POST /desk/drafts/{draft}/discard    303       404     404     404     404     404     303     404     404
GET  /desk/receipts/{filed}          login     404     404     404     404     404     200     404     404
GET  /reports                        login     200     404     200     200     200     404     404     200
GET  /reports/escalations            login     200     404     200     200     200     404     404     200
GET  /reports/cases                  login     200     404     200     200     200     404     404     200
GET  /reports/escalations/paths      login     200     404     200     200     200     404     404     200
GET  /reports/act                    login     404     404     422     404     422     404     404     404
POST /reports/act                    401       404     404     422     404     422     404     404     404
GET  /reports/escalations.csv        login     200     404     200     200     200     404     404     200
GET  /reports/cases.csv              login     200     404     200     200     200     404     404     200
GET  /reports/returns                login     200     404     200     200     200     404     404     200
GET  /reports/returns/2026-01/office/social-welfare login 200 404 200   200     200     404     404     404
GET  /reports/returns/2026-01/office/social-welfare/cases login 200 404 200 200 200     404     404     404
POST /reports/returns/2026-01/office/social-welfare/submit 303 409 404 404  409     404     404     404     404
GET  /reports/returns/2026-01/country/all login 404    404     404     404     200     404     404     404
GET  /reports/returns/2026-13/country/all login 404    404     404     404     404     404     404     404
GET  /reports/exports                login     200     200     200     200     200     200     200     200
POST /reports/exports                303       303     404     303     303     303     404     404     303
GET  /reports/exports/cases.csv      login     200     404     200     200     200     404     404     200
GET  /reports/exports/cases.xlsx     login     200     404     200     200     200     404     404     200
GET  /reports/exports/no-such.csv    login     404     404     404     404     404     404     404     404
GET  /reports/exports/{export}/file  login     404     404     404     404     200     404     404     404
POST /reports/exports/{export}/cancel 303      404     404     404     404     303     404     404     404
GET  /password                       login     200     200     200     200     200     200     200     200
POST /password                       401       422     422     422     422     422     422     422     422
GET  /people                         login     404     404     404     200     404     404     200     404
GET  /people/posts/{post}/appoint    login     404     404     404     200     404     404     200     404
POST /people/posts/{post}/appoint    401       404     404     404     422     404     404     422     404
GET  /people/posts/{post}/new-account login    404     404     404     200     404     404     200     404
POST /people/posts/{post}/new-account 401      404     404     404     422     404     404     422     404
GET  /people/officers/{colleague}    login     404     404     404     200     404     404     200     404
POST /people/officers/{colleague}    401       404     404     404     422     404     404     422     404
GET  /people/officers/{colleague}/close login  404     404     404     200     404     404     200     404
POST /people/officers/{colleague}/close 401    404     404     404     422     404     404     422     404
GET  /people/officers/{colleague}/dossier login 200    200     200     200     404     404     404     404
GET  /people/dossier                 login     200     200     200     200     200     200     404     200
GET  /people/postings/{posting}/end  login     404     404     404     200     404     404     200     404
POST /people/postings/{posting}/end  401       404     404     404     422     404     404     422     404
GET  /people/handovers/{handover}    login     404     200     404     200     404     404     200     404
GET  /admin                          login     404     404     404     404     404     404     200     404
GET  /reports/samples                login     404     404     404     404     200     404     404     404
POST /reports/samples                401       404     404     404     404     422     404     404     404
GET  /reports/reviews                login     404     404     200     200     200     404     404     404
GET  /reports/reviews/{own}          login     404     404     404     404     200     404     404     404
POST /reports/reviews/{own}          401       404     404     404     404     422     404     404     404
GET  /reports/reviews/{other}        login     404     404     404     404     404     404     404     404
POST /reports/reviews/{other}        401       404     404     404     404     404     404     404     404
GET  /reports/alarms                 login     404     404     404     404     200     404     404     404
GET  /reports/alarms/{alarm}         login     404     404     404     404     200     404     404     404
POST /reports/alarms/{alarm}         401       404     404     404     404     422     404     404     404
GET  /canned                         login     200     404     404     404     404     404     404     200
POST /canned                         401       422     404     404     404     404     404     404     422
GET  /canned/{canned}                login     200     404     404     404     404     404     404     404
POST /canned/{canned}                401       422     404     404     404     404     404     404     404
GET  /canned/{general}               login     404     404     404     404     404     404     404     404
GET  /admin/canned                   login     404     404     404     404     404     404     200     404
POST /admin/canned                   401       404     404     404     404     404     404     422     404
GET  /admin/canned/{general}         login     404     404     404     404     404     404     200     404
POST /admin/canned/{general}         401       404     404     404     404     404     404     422     404
GET  /admin/canned/{canned}          login     404     404     404     404     404     404     404     404
GET  /admin/rehearsals               login     404     404     404     404     200     404     200     404
POST /admin/rehearsals               401       404     404     404     404     422     404     422     404
GET  /admin/rehearsals/{rehearsal}   login     404     404     404     404     200     404     200     404
GET  /admin/rehearsals/{rehearsal}.csv login   404     404     404     404     200     404     404     404
GET  /admin/rehearsals/examples/policies.csv login 404 404     404     404     200     404     200     404
GET  /cases/{own}                    login     200     200     200     200     200     404     404     404
GET  /cases/{own}/why                login     200     200     200     200     200     404     404     404
GET  /cases/{own}/links              login     200     200     200     200     200     404     404     404
POST /cases/{own}/links              401       422     422     422     422     422     404     404     404
GET  /cases/{own}/registry           login     200     200     200     404     200     404     404     404
POST /cases/{own}/registry           401       422     422     422     404     422     404     404     404
GET  /cases/{own}/file               login     200     200     200     200     200     404     404     404
GET  /cases/{own}/attachments/{file} login     200     200     200     200     200     404     404     404
POST /cases/{own}                    401       303     303     303     303     303     404     404     404
GET  /cases/{other}                  login     404     404     404     404     200     404     404     200
GET  /cases/{other}/why              login     404     404     404     404     200     404     404     200
GET  /cases/{other}/links            login     404     404     404     404     200     404     404     200
POST /cases/{other}/links            401       404     404     404     404     422     404     404     422
GET  /cases/{other}/registry         login     404     404     404     404     200     404     404     200
POST /cases/{other}/registry         401       404     404     404     404     422     404     404     422
GET  /cases/{other}/file             login     404     404     404     404     200     404     404     200
GET  /cases/{other}/attachments/{file} login     404     404     404     404     404     404     404     404
POST /cases/{other}                  401       404     404     404     404     303     404     404     303
GET  /cases/{sensitive}              login     404     404     200     200     200     404     404     404
GET  /cases/{sensitive}/why          login     404     404     200     200     200     404     404     404
GET  /cases/{sensitive}/links        login     404     404     200     200     200     404     404     404
POST /cases/{sensitive}/links        401       404     404     422     422     422     404     404     404
GET  /cases/{sensitive}/registry     login     404     404     200     404     200     404     404     404
POST /cases/{sensitive}/registry     401       404     404     422     404     422     404     404     404
GET  /cases/{sensitive}/file         login     404     404     200     200     200     404     404     404
GET  /cases/{sensitive}/attachments/{file} login     404     404     404     404     404     404     404     404
POST /cases/{sensitive}              401       404     404     303     303     303     404     404     404
GET  /cases/{about_gro}              login     404     404     200     200     200     404     404     404
GET  /cases/{about_gro}/why          login     404     404     200     200     200     404     404     404
GET  /cases/{about_gro}/links        login     404     404     200     200     200     404     404     404
POST /cases/{about_gro}/links        401       404     404     422     422     422     404     404     404
GET  /cases/{about_gro}/file         login     404     404     200     200     200     404     404     404
POST /cases/{about_gro}              401       404     404     303     303     303     404     404     404
GET  /cases/{about_appeal}           login     404     404     404     404     200     404     404     404
GET  /cases/{about_appeal}/why       login     404     404     404     404     200     404     404     404
GET  /cases/{about_appeal}/links     login     404     404     404     404     200     404     404     404
POST /cases/{about_appeal}/links     401       404     404     404     404     422     404     404     404
GET  /cases/{about_appeal}/file      login     404     404     404     404     200     404     404     404
POST /cases/{about_appeal}           401       404     404     404     404     303     404     404     404
GET  /cases/{filed}                  login     404     404     404     404     200     200     404     200
GET  /cases/{filed}/why              login     404     404     404     404     200     200     404     200
GET  /cases/{filed}/links            login     404     404     404     404     200     200     404     200
POST /cases/{filed}/links            401       404     404     404     404     422     422     404     422
GET  /cases/{filed}/file             login     404     404     404     404     200     200     404     200
POST /cases/{filed}                  401       404     404     404     404     303     409     404     303
GET  /cases/0000000000000            login     404     404     404     404     404     404     404     404
GET  /cases/0000000000000/why        login     404     404     404     404     404     404     404     404
GET  /cases/0000000000000/links      login     404     404     404     404     404     404     404     404
POST /cases/0000000000000/links      401       404     404     404     404     404     404     404     404
GET  /cases/0000000000000/file       login     404     404     404     404     404     404     404     404
GET  /cases/0000000000000/attachments/{file} login     404     404     404     404     404     404     404     404
POST /cases/0000000000000            401       404     404     404     404     404     404     404     404
GET  /no-such-page                   404       404     404     404     404     404     404     404     404
POST /logout                         303       303     303     303     303     303     303     303     303
"""

FIELDS = {
    "/cases/": {"action": "NOTE", "version": "1", "note": "জেলা কার্যালয়ে খোঁজ নেওয়া হয়েছে।"},
    "/reports/exports": {"kind": "cases", "format": "csv"},
}
ACCOUNTS = {
    "gro": "gro.social-welfare",
    "officer": "officer.social-welfare",
    "appeal": "appeal.social-welfare",
    "head": "head.of-office",
    "cell": "cabinet",
    "desk": "desk.dhaka",
    "admin": "admin",
    "other": "gro.food",
}


@dataclass(frozen=True)
class Row:
    """One line of the table: a request, and what each role gets."""

    method: str
    path: str
    expected: dict[str, str] = field(compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def rows(table: str = TABLE) -> Iterator[Row]:
    """Read the table."""
    header, *lines = table.strip().splitlines()
    assert tuple(header.split()[1:]) == ROLES
    for line in lines:
        method, path, *expected = line.split()
        yield Row(method, path, dict(zip(ROLES, expected, strict=True)))


@pytest.fixture
def cases(session: Session) -> dict[str, str]:
    """Tracking numbers of the cases in the table, and a head of office to sign in."""
    here, there = build.office_id(session), build.office_id(session, "food")
    gro, appeal = (build.officer_id(session, ACCOUNTS[role]) for role in ("gro", "appeal"))
    desk = build.actor(session, ACCOUNTS["desk"]).seats[0].office_id
    made: dict[str, Case] = {
        "own": build.case(session, here),
        "other": build.case(session, there, programme="oms"),
        "sensitive": build.case(session, here, "appeal", category="bribe-demand"),
        "about_gro": build.case(session, here, "appeal", accused_officers=[gro]),
        "about_appeal": build.case(session, build.office_id(session, "cell"), "cell", accused_officers=[appeal]),
        "filed": build.case(
            session,
            there,
            channel="assisted",
            filed_by_office_id=desk,
            filed_by_id=build.officer_id(session, "desk.dhaka"),
        ),
    }
    head: Officer = build.officer(session, ACCOUNTS["head"], password_hash=hash_password("demo"))
    build.posting(session, build.post_id(session, here, "head"), head.id)
    rehearsal = one_rehearsal(session, made["own"])
    bulk = one_bulk_act(session, made["own"])
    file = str(build.attachment(session, made["own"]).id)
    texts = canned_texts(session)
    people = one_handover(session, here)
    draft = one_draft(session)
    register = one_register(session)
    export = one_export(session)
    alarm = one_alarm(session)
    one_drawn(session, made["own"])
    session.commit()
    return {name: case.tracking_number for name, case in made.items()} | {
        "bulk": bulk,
        "rehearsal": rehearsal,
        "export": export,
        "alarm": alarm,
        "file": file,
        "draft": draft,
        "register": register,
        **texts,
        **people,
    }


def one_bulk_act(session: Session, case: Case) -> str:
    """The number of a request of the case officer to close the case, which waits for approval."""
    act = BulkAct(
        officer_id=build.officer_id(session, ACCOUNTS["officer"]),
        asked_as="case_officer",
        action="CLOSE",
        office_id=case.office_id,
        desk=case.desk,
        fields={"reason": ""},
        state="waiting_for_approval",
        asked_at=case.filed_at,
    )
    session.add(act)
    session.flush()
    session.add(BulkItem(bulk_act_id=act.id, case_id=case.id, version=case.version))
    return f"{act.id:013d}"


def one_register(session: Session) -> str:
    """The number of a register that the district's desk handed in, and that is filed."""
    at = build.dhaka(2026, 1, 4)
    officer = build.actor(session, ACCOUNTS["desk"])
    batch = RegisterBatch(
        officer_id=officer.officer_id,
        office_id=officer.seats[0].office_id,
        state="done",
        file_mac=b"x",
        row_count=1,
        uploaded_at=at,
        confirmed_at=at,
        finished_at=at,
    )
    session.add(batch)
    session.flush()
    return f"{batch.id:013d}"


def one_alarm(session: Session) -> str:
    """The number of an alarm about a district."""
    on = build.dhaka(2026, 1, 4).date()
    alarm = Alarm(
        kind="silent",
        subject="district:1",
        starts_on=on,
        until_on=on,
        district_id=directory(session).districts[0].id,
        evidence={"days": 20, "expected": 9.0, "usual": 3.0},
        raised_at=build.dhaka(2026, 1, 4),
        seen_on=on,
    )
    session.add(alarm)
    session.flush()
    return f"{alarm.id:013d}"


def one_drawn(session: Session, case: Case) -> None:
    """Have the lot draw a case for review."""
    month, at = build.dhaka(2026, 1, 1).date(), build.dhaka(2026, 2, 1)
    session.add(SampleMonth(month=month, seed="x", drawn_at=at, closures=1, drawn=1))
    session.flush()
    session.add(ClosureSample(month=month, case_id=case.id, office_id=case.office_id, drawn_at=at))


def one_export(session: Session) -> str:
    """The number of a file that was prepared for the cell."""
    cell = build.actor(session, ACCOUNTS["cell"])
    at = build.dhaka(2026, 1, 4)
    job = ExportJob(
        officer_id=cell.officer_id,
        kind="cases",
        format="csv",
        language="bn",
        query={"measure": "open"},
        title="তালিকা",
        state="done",
        asked_at=at,
        finished_at=at,
        as_of=at,
        sight=sight.of(session, cell),
        size=0,
    )
    session.add(job)
    session.flush()
    return f"{job.id:013d}"


def canned_texts(session: Session) -> dict[str, str]:
    """The numbers of a canned text of the ministry that has `{own}`, and of one for all offices."""
    made = {
        name: CannedReply(
            office_id=office, title_bn="ক", title_en="A", text_bn="ক", text_en="A", changed_at=build.dhaka(2026, 1, 4)
        )
        for name, office in (("canned", build.office_id(session)), ("general", None))
    }
    session.add_all(made.values())
    session.flush()
    return {name: f"{text.id:013}" for name, text in made.items()}


def one_draft(session: Session) -> str:
    """The number of a form that the district's desk has put aside."""
    desk = build.officer_id(session, ACCOUNTS["desk"])
    assert desk_drafts.keep(session, desk, new_token(), {"name": "আমেনা"}, build.dhaka(2030, 1, 1))
    (_, [draft]) = desk_drafts.put_aside(session, desk, build.dhaka(2030, 1, 1))
    return f"{draft.id:013}"


def one_handover(session: Session, office: int) -> dict[str, str]:
    """An officer who has handed something to the case officer of an office, with the numbers that pages are addressed by."""
    colleague, post = build.officer(session), build.post_id(session, office, "case_officer")
    posting = build.posting(session, post, colleague.id, is_alternate=True)
    act = Handover(officer_id=colleague.id, office_id=office, reason="work_only", at=colleague.created_at)
    session.add(act)
    session.flush()
    heir = build.officer_id(session, ACCOUNTS["officer"])
    session.add(
        HandoverItem(handover_id=act.id, kind="alternate", ref_id=posting.id, office_id=office, to_officer_id=heir)
    )
    ids = {"colleague": colleague.id, "post": post, "posting": posting.id, "handover": act.id}
    return {name: f"{number:013d}" for name, number in ids.items()}


def one_rehearsal(session: Session, case: Case) -> str:
    """The number of a rehearsal over the day on which a case came in, as its page is addressed."""
    rehearsal = Rehearsal(
        created_at=case.filed_at,
        created_by_id=build.officer_id(session, "admin"),
        since_on=case.received_on,
        until_on=case.received_on,
        policies_csv="code",
        last_case_id=0,
    )
    session.add(rehearsal)
    session.flush()
    return f"{rehearsal.id:013}"


def sign_in(app: Flask, role: str) -> FlaskClient:
    """A client in which the role has signed in through the form."""
    client = app.test_client()
    if role != "anonymous":
        fields = {"username": ACCOUNTS[role], "password": "demo", "csrf_token": token_on(client.get("/login"))}
        assert client.post("/login", data=fields).status_code == 303, role
    return client


def token_on(answer: TestResponse) -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
    assert found, answer.text[:300]
    return found[1]


def ask(client: FlaskClient, row: Row, cases: dict[str, str]) -> TestResponse:
    """Make the row's request, with a valid token where it changes something."""
    path = row.path.format(**cases)
    if row.method == "GET":
        return client.get(path)
    fields = next((values for start, values in FIELDS.items() if path.startswith(start)), {})
    return client.post(path, data={**fields, "csrf_token": token_on(client.get("/track"))})


def outcome(answer: TestResponse) -> str:
    """What the table calls it."""
    if answer.status_code == 303 and answer.headers["Location"].startswith("/login?next="):
        return "login"
    if answer.is_json:
        return "ok" if answer.status_code in (200, 503) else str(answer.status_code)
    return str(answer.status_code)


def without_request_id(answer: TestResponse) -> str:
    """A page without the one thing that differs from request to request, form tokens, and the address that was asked for."""
    page = re.sub(r'name="csrf_token" value="[^"]+"', "", answer.text)
    return re.sub(r"\b[0-9a-f]{12}\b", "", page).replace(answer.request.path, "")


def headers_of(answer: TestResponse) -> list[tuple[str, str]]:
    """All headers but the length, which the request's id and token cannot change, and cookies."""
    return sorted((name, value) for name, value in answer.headers.items() if name != "Set-Cookie")


def test_every_route_is_in_the_table(app: Flask) -> None:
    known = app.url_map.bind("localhost")
    said = set()
    for row in rows():
        if row.path != "/no-such-page":
            endpoint, _ = known.match(row.path.replace("{export}", "7").replace("{", "").replace("}", ""), row.method)
            said.add((row.method, endpoint))
    routes = {
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes - said == set(), "say in TABLE who may use these"
    assert said - routes == set()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_the_table_says(app: Flask, cases: dict[str, str], role: str) -> None:
    client = sign_in(app, role)
    found = {str(row): outcome(ask(client, row, cases)) for row in rows()}
    assert found == {str(row): row.expected[role] for row in rows()}


@pytest.mark.parametrize("role", ROLES[1:])
def test_forbidden_looks_exactly_like_missing(app: Flask, cases: dict[str, str], role: str) -> None:
    client = sign_in(app, role)
    compared = 0
    for row in rows():
        if row.expected[role] != "404" or "{" not in row.path:
            continue
        forbidden = ask(client, row, cases)
        # As long as the real one: the address stands in the page.
        unknown = {name: "0" * len(str(value)) for name, value in cases.items()}
        missing = ask(client, Row(row.method, row.path.format(**unknown), {}), cases)
        assert without_request_id(forbidden) == without_request_id(missing), row
        assert headers_of(forbidden) == headers_of(missing), row
        compared += 1
    assert compared or role == "cell"


@pytest.mark.parametrize("role", ["anonymous", "gro"])
def test_head_tells_no_more_than_get(app: Flask, cases: dict[str, str], role: str) -> None:
    client = sign_in(app, role)
    for row in rows():
        if row.method == "GET":
            path = row.path.format(**cases)
            answer = client.head(path)
            assert answer.data == b""
            assert outcome(client.get(path)) == outcome(answer) or answer.mimetype == "application/json", row


def test_a_session_that_has_ended_opens_nothing(app: Flask, cases: dict[str, str], session: Session) -> None:
    """Deactivated in the middle of the day: the next request already finds nobody signed in."""
    client = sign_in(app, "gro")
    assert client.get(f"/cases/{cases['own']}").status_code == 200
    session.get_one(Officer, build.officer_id(session, ACCOUNTS["gro"])).is_active = False
    session.commit()
    assert outcome(client.get(f"/cases/{cases['own']}")) == "login"


def test_the_check_of_the_table_would_notice_a_new_route(make_app: Callable[..., Flask]) -> None:
    other = make_app()
    other.add_url_rule("/secret-page", "secret_page", lambda: "secret")
    with pytest.raises(AssertionError, match="secret_page"):
        test_every_route_is_in_the_table(other)
    assert other.test_client().get("/secret-page").status_code == 404, "a route without a rule does not exist"
