"""Reading reports as people do: every number that is a link, and the cases of the list behind it, through all its pages."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from flask.testing import FlaskClient

from tests.support.web import Element, parse

LISTS = re.compile(r"/reports/cases\?|/reports/returns/[^?]+/cases\?")
MOST_PAGES = 60


class Reader:
    """An officer at a browser that reads English."""

    def __init__(self, client: FlaskClient, username: str) -> None:
        self.username = username
        self._client = client
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
        assert found
        form = {"csrf_token": found[1], "username": username, "password": "demo"}
        assert client.post("/login", data=form).status_code == 303
        client.set_cookie("grm_lang", "en")

    def status(self, url: str) -> int:
        """What the server answers."""
        return self._client.get(url).status_code

    def page(self, url: str) -> Element:
        """A page that is there."""
        answer = self._client.get(url)
        assert answer.status_code == 200, f"{self.username}: {answer.status} at {url}"
        return parse(answer.text)

    def numbers(self, url: str) -> list[tuple[int, str]]:
        """Every number of a report that leads to a list, and the list's address; a tile's link stands beside its number."""
        document = self.page(url)
        tiles = [
            (tile.first("b"), tile.first("a"))
            for tile in document.all("li")
            if "tile" in tile["class"].split() and any(tile.all("a"))
        ]
        beside = {id(link) for _, link in tiles}
        links = [(link, link) for link in document.all("a") if id(link) not in beside]
        return [
            (int(shown.text.replace(",", "")), link["href"])
            for shown, link in tiles + links
            if LISTS.match(link["href"]) and shown.text.replace(",", "").isdigit()
        ]

    def cases(self, url: str) -> tuple[int, list[str]]:
        """The list behind a number: the count on top, and the tracking numbers of its rows through all its pages; empty
        for a case that is counted and not named."""
        on_top, found, following = None, list[str](), url
        for _ in range(MOST_PAGES):
            document = self.page(following)
            on_top = _count(document) if on_top is None else on_top
            found += _rows(document)
            follow = [link["href"] for link in document.all("a") if link["rel"] == "next"]
            if not follow:
                break
            following = follow[0]
        assert on_top is not None
        return on_top, found


def asked(url: str) -> dict[str, str]:
    """What an address asks for."""
    return dict(parse_qsl(urlsplit(url).query))


def _count(document: Element) -> int:
    heading = next(document.all("h1"))
    counted = [each.text for each in heading.all("span") if "count" in each["class"].split()]
    text = counted[0] if counted else heading.text.rpartition(":")[2]
    return int(text.replace(",", "").strip())


def _rows(document: Element) -> Iterator[str]:
    for table in document.all("tbody"):
        for row in table.all("tr"):
            named = [each for each in row.all("a", "span") if each["translate"] == "no"]
            yield re.sub(r"[^0-9A-Z]", "", named[0].text) if named else ""


__all__ = ["Reader", "asked"]
