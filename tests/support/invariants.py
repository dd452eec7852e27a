"""What must hold in the database whatever was done to it, besides the ledger of messages (tests/support/faults.py)."""

from tests.support.faults import FaultRig

_FILED = "length(c.secret_mac) > 1"  # by the form; cases put in by a test have a secret nobody can know
HALF_WRITTEN = {
    "a submission without its case": "submission AS s WHERE NOT EXISTS "
    "(SELECT FROM cases AS c WHERE c.submission_id = s.id)",
    "a case without its clocks": f"cases AS c WHERE {_FILED} AND (SELECT count(*) FROM deadline WHERE case_id = c.id) < 2",
    "a case without its history": f"cases AS c WHERE {_FILED} AND (c.history_length <> "
    "(SELECT count(*) FROM case_event WHERE case_id = c.id) OR NOT EXISTS "
    "(SELECT FROM case_event WHERE case_id = c.id AND seq = 1 AND kind = 'filed'))",
    "a case without its complainant": f"cases AS c WHERE {_FILED} AND NOT EXISTS "
    "(SELECT FROM complainant WHERE case_id = c.id)",
    "a case without its acknowledgement": f"cases AS c WHERE {_FILED} AND c.preferred_channel = 'sms' AND NOT EXISTS "
    "(SELECT FROM message WHERE case_id = c.id AND template = 'case-filed-complainant')",
}


def half_written(rig: FaultRig) -> list[str]:
    """What is there in part only, in words; empty when every filing is whole or not there at all."""
    found = {what: rig.number(f"SELECT count(*) FROM {where}") for what, where in HALF_WRITTEN.items()}
    return [f"{count} times {what}" for what, count in found.items() if count]


def broken_chains(rig: FaultRig) -> list[str]:
    """The first bad row of every hash chain, as `flask audit verify` finds them; empty when all hold."""
    from grm.cases.verification import Tally, faults
    from grm.kernel.db import db

    with rig.app.app_context(), db.engine.connect() as connection:
        return [f"{fault.where}: {fault.why}" for fault in faults(connection, Tally())]
