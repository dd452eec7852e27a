"""The registry loaded from a file: sealed rows in our own database, found by blind indexes."""

import json
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from grm.kernel import context
from grm.registry.beneficiary import MOST_FOUND, Beneficiary, parse_beneficiary, to_plain
from grm.registry.models import BeneficiaryRow


def find(session: Session, key: str) -> tuple[Beneficiary, ...]:
    """Whoever goes by a key (`beneficiary.parse_key`): several where one NID stands on several lists."""
    row = BeneficiaryRow
    rows = session.scalars(
        select(row)
        .where(or_(row.id_index == id_index(key), row.nid_index == nid_index(key)))
        .order_by(row.id)
        .limit(MOST_FOUND)
    )
    return tuple(_opened(each) for each in rows)


def is_loaded(session: Session) -> bool:
    """Whether there is any beneficiary at all."""
    return session.scalar(select(BeneficiaryRow.id).limit(1)) is not None


def values_of(person: Beneficiary, id_key: str, nid_key: str | None) -> dict[str, Any]:
    """The column values of a beneficiary, but for the instant of loading; the keys are normalised."""
    index = id_index(id_key)
    plain = json.dumps(to_plain(person), ensure_ascii=False)
    return {
        "id_index": index,
        "nid_index": nid_index(nid_key) if nid_key else None,
        "sealed": context.keyring().seal(plain, _context(index)),
        "as_of": person.as_of,
    }


def id_index(key: str) -> bytes:
    """What a beneficiary id is found by."""
    return context.keyring().blind_index("beneficiary", key)


def nid_index(key: str) -> bytes:
    """What a national identity number is found by."""
    return context.keyring().blind_index("nid", key)


def _opened(row: BeneficiaryRow) -> Beneficiary:
    return parse_beneficiary(json.loads(context.keyring().open(row.sealed, _context(row.id_index))))


def _context(index: bytes) -> str:
    return f"beneficiary:{index.hex()}"
