"""Somebody who fills in the public form of a running server and hands in files, over connections that may break."""

import http.client
import re
import socket
import struct
from dataclasses import dataclass, field
from html import unescape

from tests.support.citizen import CODE, COMPLAINT

FORM = "/complaints/new"
FILES = "/complaints/files"
STEPS = {
    "add": ("file written", "file in its place", "row written", "row committed"),
    "send": ("case written", "case committed"),
    "remove": ("file marked", "row written", "row deleted"),
}
"""What can be done with a file of a form, and the steps at which it can be cut off (tests/support/fault_files.py)."""
_BOUNDARY = "----uploader"
File = tuple[str, bytes]


@dataclass
class Answer:
    """What came back; status 0 where the line broke."""

    status: int
    text: str = field(default="", repr=False)

    @property
    def codes(self) -> list[str]:
        """Tracking number and secret, where this is a receipt."""
        return [code.replace("-", "") for code in CODE.findall(self.text)]


class Uploader:
    """One person, who keeps cookies and has typed everything."""

    def __init__(self, port: int, details: str = COMPLAINT["details"]) -> None:
        self.port = port
        self.details = details
        self.cookie = ""
        page = self.ask("GET", f"{FORM}?lang=en")
        self.tokens = {name: self.value(page, name) for name in ("csrf_token", "draft")}
        page = self.post(FORM, {**COMPLAINT, "details": details, "step": "3"})
        assert page.status == 200 and 'name="attachments"' in page.text, page

    def post(self, path: str, fields: dict[str, str], *files: File) -> Answer:
        """Send a form with files, and follow the answer."""
        head, body = self.request(path, fields, *files)
        return self._follow(head, body, path)

    def ask(self, method: str, path: str) -> Answer:
        """Open a page."""
        return self._follow({}, b"", path, method)

    def add(self, *files: File) -> Answer:
        """Press the button that adds the files."""
        return self.post(FILES, {}, *files)

    def remove(self, page: Answer) -> Answer:
        """Take the first file out."""
        found = re.search(r'name="remove" value="(\d+)"', page.text)
        return self.post(FILES, {"remove": found[1]}) if found else page

    def send(self) -> Answer:
        """File the complaint."""
        return self.post(FORM, {"step": "send", "declaration": "1"})

    def last_page(self) -> Answer:
        """The form's last page as it stands, or the receipt."""
        return self.ask("GET", f"{FORM}?step=4")

    def request(self, path: str, fields: dict[str, str], *files: File) -> tuple[dict[str, str], bytes]:
        """Headers and body of a post."""
        parts = [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in {**self.tokens, **fields}.items()
        ]
        parts += [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="attachments"; filename="{name}"\r\n\r\n'.encode()
            + data
            + b"\r\n"
            for name, data in files
        ]
        body = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
        return {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}, body

    def cut_off(self, path: str, fields: dict[str, str], *files: File, share: float) -> None:
        """Send a part of a post, then drop the line without a farewell."""
        head, body = self.request(path, fields, *files)
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in {**head, "Cookie": self.cookie}.items()]
        with socket.create_connection(("127.0.0.1", self.port), 10) as line:
            line.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body[: int(len(body) * share)])
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def track(self, codes: list[str], fields: dict[str, str], *files: File) -> Answer:
        """Open the case with its codes and press a button of its page."""
        page = self.post("/track", dict(zip(("tracking_number", "secret"), codes, strict=True)))
        return self.post("/track", {"view": self.value(page, "view"), **fields}, *files)

    @staticmethod
    def value(page: Answer, name: str) -> str:
        """What a page's hidden field holds."""
        found = re.search(f'name="{name}" value="([^"]*)"', page.text)
        assert found, (name, page.status, page.text[:300])
        return unescape(found[1])

    def _follow(self, head: dict[str, str], body: bytes, path: str, method: str = "POST") -> Answer:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            link.request(method, path, body or None, {**head, "Cookie": self.cookie})
            got = link.getresponse()
            text = got.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            link.close()
        for each in got.headers.get_all("Set-Cookie") or ():
            name, _, value = each.partition(";")[0].partition("=")
            kept = dict(part.split("=", 1) for part in self.cookie.split("; ") if part)
            self.cookie = "; ".join(f"{key}={text}" for key, text in {**kept, name: value}.items())
        if got.status == 303:
            return self.ask("GET", got.headers["Location"].partition("#")[0])
        return Answer(got.status, text)
