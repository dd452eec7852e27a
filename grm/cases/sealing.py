"""How names and addresses of complainants are kept: sealed to their case, the phone with a blind index to be found by."""

from typing import Any

from grm.kernel import context


def sealed(tracking_number: str, **values: str | None) -> dict[str, Any]:
    """Column values of `complainant` for name, phone (E.164) and e-mail, those that are given; None leaves a column empty."""
    keyring = context.keyring()
    row: dict[str, Any] = {
        f"{name}_sealed": keyring.seal(value, f"complainant.{name}:{tracking_number}") if value else None
        for name, value in values.items()
    }
    if "phone" in values:
        phone = values["phone"]
        row["phone_index"] = keyring.blind_index("phone", phone) if phone else None
    return row


def opened(tracking_number: str, field: str, value: bytes | None) -> str | None:
    """What a sealed name, phone or e-mail says; None for an empty column."""
    return context.keyring().open(value, f"complainant.{field}:{tracking_number}") if value else None
