"""The codes of what a payment complaint or a request to correct data says. Pure; forms, tables and pages share them."""

KINDS = ("payment", "correction")
WAYS_OF_PAYMENT = ("wallet", "agent_bank", "bank", "post_office", "by_hand", "unknown")
"""The ways in which an allowance comes; the last two have no provider's desk behind them."""
CORRECT_WHAT = ("name", "nid", "phone", "account", "birth_date", "address", "other")
