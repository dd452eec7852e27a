"""The beneficiary registry: who is enrolled in what and what was paid last, as other systems tell it (CSV or HTTP)."""
