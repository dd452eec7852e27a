"""A page that shows a secret to whoever brings a cookie travels uncompressed: its length tells nothing of it (BREACH)."""

from flask import Flask

from tests.support.citizen import Citizen


def test_receipts_travel_as_they_are(app: Flask) -> None:
    desk = Citizen(app)
    desk.submit(desk.get("/login").form("username").fill(username="desk.dhaka", password="demo"))
    paper = {"programme": "old-age-allowance", "category": "payment-not-received", "district": "3026"}
    paper |= {"medium": "paper", "details": "কাগজে", "name": "রহিমা", "phone": "01712345678"}
    receipt = desk.submit(desk.get("/desk/new").form("medium").fill(**paper))
    assert receipt.path.startswith("/desk/receipts/")
    for path, is_compressed in ((receipt.path, False), ("/desk/filed", True)):
        answer = desk.client.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200 and ("Content-Encoding" in answer.headers) is is_compressed, path
