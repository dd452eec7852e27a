"""Facts of payments and corrections from the form to the desks: sealed where they name somebody, shown to who may see them,
told to a payment provider that is sent a part or the case."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import claims, permissions, referral, subcases
from grm.cases.claims_models import Claim
from grm.cases.models import Case
from grm.cases.queries import find_case
from grm.kernel.clock import dhaka_date
from grm.offices.queries import directory
from tests.support import build
from tests.support.citizen import Citizen, codes_of, errors_of, the_case
from tests.support.web import parse

ACCOUNT = "01712000777"
PAYMENT = {
    "category": "payment-short-or-late",
    "period_from": "2026-01",
    "period_to": "মার্চ ২০২৬",
    "taka_expected": "১,৮০০",
    "taka_received": "১৫০০",
    "provider": "bkash",
    "account_note": f"{ACCOUNT}, নিজের নামে",
}
CORRECTION = {
    "category": "data-correction",
    "correct_what": "nid",
    "correct_from": "1990123456789",
    "correct_to": "1990123456788",
    "details": "",
}


SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """A browser in which a demo officer is signed in, showing English."""

    def enter(username: str) -> FlaskClient:
        client = app.test_client()
        page = parse(client.get("/login?lang=en").text)
        token = next(each["value"] for each in page.all("input") if each["name"] == "csrf_token")
        answer = client.post("/login", data={"csrf_token": token, "username": username, "password": "demo"})
        assert answer.status_code == 303
        return client

    return enter


def filed(app: Flask, session: Session, **typed: str) -> tuple[Case, list[str]]:
    receipt = Citizen(app).file(**typed)
    assert receipt.status == 200, errors_of(receipt)
    return the_case(session), codes_of(receipt)


def shown(client: FlaskClient, number: str) -> str:
    """What a page of a case shows in its main part."""
    answer = client.get(f"/cases/{number}")
    assert answer.status_code == 200
    return parse(answer.text).first("main").text


def test_the_facts_of_a_payment_reach_the_officer_and_the_holder(app: Flask, session: Session, sign_in: SignIn) -> None:
    case, (number, secret) = filed(app, session, **PAYMENT)
    claim = session.get_one(Claim, case.id)
    assert (claim.kind, str(claim.period_from), str(claim.period_to)) == ("payment", "2026-01-01", "2026-03-01")
    assert (claim.taka_expected, claim.taka_received, claim.provider_kind) == (1800, 1500, "wallet")
    assert claim.provider_id == directory(session).office("bkash").id
    assert claim.sealed is not None and ACCOUNT.encode() not in claim.sealed

    for username, sees_account in (("gro.social-welfare", True), ("cabinet", False)):
        client = sign_in(username)
        page = shown(client, number)
        assert "1,800 taka" in page and "January 2026 – March 2026" in page and "bKash" in page
        assert "Points to the payment provider" in page
        assert (ACCOUNT in page) is sees_account
        assert ("1,800 taka" in shown(client, f"{number}/file")) and (
            ACCOUNT in shown(client, f"{number}/file")
        ) is sees_account
        assert ("shown to those who handle the case" in page) is not sees_account

    citizen = Citizen(app)
    status = citizen.submit(citizen.get("/track").form("secret").fill(tracking_number=number, secret=secret))
    assert "১,৮০০ টাকা" in status.text and "বিকাশ" in status.text and "পরিশোধকারী প্রতিষ্ঠানের দিকে" not in status.text


def test_a_correction_needs_no_story_and_its_values_are_sealed(app: Flask, session: Session, sign_in: SignIn) -> None:
    case, (number, _) = filed(app, session, **CORRECTION)
    told = claims.of_case(session, case)
    assert told is not None
    assert (told.kind, told.correct_what, told.correct_from) == ("correction", "nid", "1990123456789")
    page = shown(sign_in("gro.social-welfare"), number)
    assert "1990123456788" in page and "Points to the identity side" in page
    stored = session.scalars(
        text("SELECT concat(c.*, '|', t.*) FROM cases AS c LEFT JOIN claim AS t ON t.case_id = c.id")
    )
    assert not any("1990123456" in row for row in stored)


def test_an_anonymous_filing_leaves_no_account_behind(app: Flask, session: Session) -> None:
    case, _ = filed(app, session, **PAYMENT, anonymous="1")
    told = claims.of_case(session, case)
    assert told is not None and (told.taka_received, told.account_note) == (1500, "")
    assert session.scalar(select(Claim.sealed)) is None


def test_a_fault_in_the_facts_gives_the_typed_values_back_and_stores_nothing(app: Flask, session: Session) -> None:
    answer = Citizen(app).file(**{**PAYMENT, "taka_received": "অনেক", "period_to": "2025-12"})
    assert answer.status == 422
    assert errors_of(answer) == {
        "taka_received": "টাকার পরিমাণ অঙ্কে লিখুন, যেমন ১৫০০, অথবা খালি রাখুন",
        "period_to": "শেষ মাসটি প্রথম মাসের আগে: আবার বেছে নিন",
    }
    values = answer.form("taka_received").values
    assert (values["taka_received"], values["period_to"], values["provider"]) == (["অনেক"], ["2025-12"], ["bkash"])
    assert not session.scalar(select(Case.id)) and session.scalar(text("SELECT count(*) FROM draft")) == 1


def test_a_provider_can_be_sent_the_case_or_a_part_with_its_facts(
    app: Flask, session: Session, sign_in: SignIn
) -> None:
    case, (number, _) = filed(app, session, **PAYMENT)
    gro, bkash = (
        build.actor(session, "gro.social-welfare", dhaka_date(case.filed_at)),
        directory(session).office("bkash"),
    )
    _, facts = find_case(session, gro, number)
    targets = {office.code: desk for office, desk in referral.targets(session, facts, dhaka_date(case.filed_at))}
    assert (
        targets["bkash"] == "gro"
        and len([code for code in targets if directory(session).office(code).kind == "provider"]) == 15
    )
    session.rollback()
    client = sign_in("gro.social-welfare")
    assert "Tell the payment or correction facts" in client.get(f"/cases/{number}").text

    subcases.split_case(gro, number, None, bkash.id, "জানুয়ারি-মার্চের টাকা কোন ওয়ালেটে গেছে, জানান।", ["claim"])
    session.expire_all()
    part = session.scalars(select(Case).where(Case.parent_id == case.id)).one()
    told = claims.of_case(session, part)
    assert told == claims.of_case(session, case)  # sealed anew, to the part
    provider = sign_in("gro.bkash")
    page = shown(provider, part.tracking_number)
    assert ACCOUNT in page and "1,800 taka" in page and "রহিমা" not in page
    assert provider.get(f"/cases/{number}").status_code == 404
    assert sign_in("gro.nagad").get(f"/cases/{part.tracking_number}").status_code == 404


def test_a_sensitive_case_is_never_offered_to_a_provider(session: Session) -> None:
    case = build.case(session, category="bribe-demand")
    facts = permissions.CaseFacts(case.tracking_number, "filed", case.office_id, "appeal", is_sensitive=True)
    offered = {office.kind for office, _ in referral.targets(session, facts, dhaka_date(case.filed_at))}
    assert "provider" not in offered and offered
