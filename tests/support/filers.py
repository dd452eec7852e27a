"""People who file complaints over HTTP without pause, and write down what they were told."""

import html
import http.client
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode, urlsplit

from tests.support.citizen import CODE, COMPLAINT, FORM

_HIDDEN = re.compile(r'name="(csrf_token|draft)" value="([^"]+)"')
_numbers = count(1)


@dataclass
class Complaint:
    """One form, pressed until the system says that it has it. `number` is empty until then."""

    phone: str
    details: str
    number: str = ""
    answers: list[int] = field(default_factory=list)
    """Status of each press; 0 where the line was cut."""
    seconds: list[float] = field(default_factory=list)


@dataclass
class Answer:
    """What came back from one request; status 0: the line was cut."""

    status: int
    text: str = ""
    retry_after: str = ""
    seconds: float = 0.0


def ask(url: str, path: str, data: dict[str, str] | None = None, timeout: float = 30) -> Answer:
    """One request on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    started = time.monotonic()
    try:
        if data is None:
            connection.request("GET", path)
        else:
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, urlencode(data), kind)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        wait = response.headers.get("Retry-After", "")
        return Answer(response.status, text, wait, time.monotonic() - started)
    except (OSError, http.client.HTTPException):
        return Answer(0, seconds=time.monotonic() - started)
    finally:
        connection.close()


def new_form(url: str) -> tuple[Complaint, dict[str, str]] | None:
    """A rendered form filled in, by somebody with a telephone of their own; None where none could be had."""
    page = ask(url, FORM)
    hidden = dict(_HIDDEN.findall(page.text))
    if page.status != 200 or len(hidden) < 2:
        return None
    number = next(_numbers)
    complaint = Complaint(f"+88018{number:08d}", f"তিন মাস ধরে ভাতার টাকা পাইনি, এই নিয়ে {number} বার গিয়েছি।")
    own = {"phone": complaint.phone, "details": complaint.details, "step": "send"}
    return complaint, {**COMPLAINT, **hidden, **own}


def press(url: str, complaint: Complaint, form: dict[str, str]) -> Answer:
    """Send the form once and note what came of it."""
    answer = ask(url, FORM, form)
    complaint.answers.append(answer.status)
    complaint.seconds.append(answer.seconds)
    if answer.status == 200 and (codes := CODE.findall(answer.text)):
        complaint.number = codes[0].replace("-", "")
    return answer


class Filers:
    """Several people at once, each pressing one form until it is filed, then taking the next.

    `faults` holds what must never happen: an answer that is neither a receipt nor 503 with Retry-After and all that was
    typed.
    """

    def __init__(self, url: str, people: int, pause_seconds: float = 0.05) -> None:
        self.url = url
        self.complaints: list[Complaint] = []
        self.faults: list[str] = []
        self._pause = pause_seconds
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._file_on) for _ in range(people)]

    def __enter__(self) -> "Filers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def answers(self) -> Counter[int]:
        """How often each status came."""
        return Counter(status for complaint in self.complaints for status in complaint.answers)

    def _file_on(self) -> None:
        while not self._stop.is_set():
            begun = new_form(self.url)
            if begun is None:
                time.sleep(0.2)
                continue
            complaint, form = begun
            self.complaints.append(complaint)
            ends = time.monotonic() + 45  # whoever has begun goes on to the receipt, also after the load has ended
            while not complaint.number and time.monotonic() < ends:
                self._check(complaint, press(self.url, complaint, form))
                time.sleep(self._pause)

    def _check(self, complaint: Complaint, answer: Answer) -> None:
        if answer.status == 503:
            if complaint.details not in html.unescape(answer.text):
                self.faults.append("503 without what was typed")
            if not answer.retry_after:
                self.faults.append("503 without Retry-After")
        elif answer.status == 200:
            if not complaint.number:
                self.faults.append("200 without a receipt")
        else:
            self.faults.append(f"answered {answer.status}")
