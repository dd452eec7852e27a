"""What a password's hash costs whoever steals the table. The other tests hash cheaply (tests/conftest.py)."""

import importlib.util

from grm.accounts import passwords


def test_a_hash_costs_64_mib_and_three_passes_of_argon2id() -> None:
    """RFC 9106, second recommended option, read from the module as it is shipped."""
    spec = importlib.util.find_spec(passwords.__name__)
    assert spec is not None and spec.loader is not None
    shipped = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shipped)
    made = shipped.hash_password("রহিমার ভাতা ২০২৬")
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert shipped.verify(made, "রহিমার ভাতা ২০২৬") and not shipped.verify(made, "রহিমার ভাতা ২০২৭")
