"""What a look-up has brought, as a page shows it: programmes by their names, numbers masked, money in words."""

from dataclasses import dataclass, field

from grm.kernel.errors import NotFound
from grm.offices.directory import Directory
from grm.registry.beneficiary import Beneficiary, Enrolment
from grm.registry.service import Answer
from grm.web.presentation import digits, show_date, show_month
from grm.web.presentation import name as name_of

SHOWN_FIGURES = 4


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment."""

    months: str
    taka: int
    state: str
    sent_on: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class EnrolmentLine:
    """One programme of somebody; `slug` is empty where it is none of ours."""

    programme: str
    slug: str
    since: str
    until: str
    provider: str
    payments: tuple[PaymentLine, ...]


@dataclass(frozen=True, slots=True)
class PersonLine:
    """Somebody on a list."""

    name: str = field(repr=False)
    beneficiary_id: str = field(repr=False)
    nid: str = field(repr=False)
    as_of: str
    enrolments: tuple[EnrolmentLine, ...]


def lines_of(answer: Answer, book: Directory) -> tuple[PersonLine, ...]:
    """Everybody a look-up has found."""
    return tuple(_person(each, book) for each in answer.people)


def _person(person: Beneficiary, book: Directory) -> PersonLine:
    return PersonLine(
        name=person.name,
        beneficiary_id=digits(person.beneficiary_id),
        # Whoever asked by the beneficiary id need not learn the identity number: its end tells two people apart.
        nid=digits("•••• " + person.nid[-SHOWN_FIGURES:]) if person.nid else "",
        as_of=show_date(person.as_of),
        enrolments=tuple(_enrolment(each, book) for each in person.enrolments),
    )


def _enrolment(enrolment: Enrolment, book: Directory) -> EnrolmentLine:
    try:
        programme, slug = name_of(book.programme(enrolment.programme)), enrolment.programme
    except NotFound:
        programme, slug = enrolment.programme, ""
    return EnrolmentLine(
        programme=programme,
        slug=slug,
        since=show_date(enrolment.enrolled_on) if enrolment.enrolled_on else "",
        until=show_date(enrolment.ended_on) if enrolment.ended_on else "",
        provider=_provider(enrolment.provider, book),
        payments=tuple(
            PaymentLine(
                months=show_month(each.period_from)
                if each.period_from == each.period_to
                else f"{show_month(each.period_from)} – {show_month(each.period_to)}",
                taka=each.taka,
                state=each.state,
                sent_on=show_date(each.sent_on) if each.sent_on else "",
                reason=each.reason,
            )
            for each in enrolment.payments
        ),
    )


def _provider(code: str | None, book: Directory) -> str:
    if not code:
        return ""
    try:
        return name_of(book.office(code))
    except NotFound:
        return code
