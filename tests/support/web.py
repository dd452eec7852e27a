"""A browser for tests, made of the standard library: cookies, links, and forms filled the way a person fills them.

It does what a browser does and no more. A field that is not in the form cannot be filled, an option that is not offered
cannot be chosen, a button that is not there cannot be pressed; hidden fields travel along untouched. Scripts do not run.
"""

import http.client
import http.cookiejar
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Element:
    """One element of a page; `children` are elements and texts in order."""

    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")

    def all(self, *tags: str) -> Iterator["Element"]:
        """Every element below with one of the tags (any, where none is named), in the order of the page."""
        for child in self.children:
            if isinstance(child, Element):
                if not tags or child.tag in tags:
                    yield child
                yield from child.all(*tags)

    def first(self, *tags: str) -> "Element":
        """The first such element; fails where there is none."""
        for found in self.all(*tags):
            return found
        raise AssertionError(f"no <{'> or <'.join(tags)}> in: {self.text[:300]}")

    @property
    def text(self) -> str:
        """What a person reads, white space run together."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in ("script", "style", "template"):
                yield " "
                yield from child._texts()
                yield " "


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("html-document", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        tags = [element.tag for element in self._open]
        if tag in tags[1:]:
            del self._open[len(tags) - tags[::-1].index(tag) - 1 :]

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(html: str) -> Element:
    """Read a page."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.root


class Form:
    """A form of a page. `values` holds what would be sent now: what the page filled in, changed by `fill`."""

    def __init__(self, element: Element, page_url: str, document: Element) -> None:
        self.element = element
        self._parts = list(_parts_of(element, document))
        self.url = urljoin(page_url, element["action"] or page_url)
        self.method = (element["method"] or "get").upper()
        self.values: dict[str, list[str]] = {}
        self.controls = [c for c in self._parts if c["name"]]
        for control in self.controls:
            if "disabled" not in control.attributes:
                self.values.setdefault(control["name"], []).extend(_initial(control))

    @property
    def names(self) -> set[str]:
        """Names of the fields a person can see."""
        return {c["name"] for c in self.controls if c.tag != "button" and c["type"] not in ("hidden", "submit")}

    def choices(self, name: str) -> list[str]:
        """The values a select, or a group of radio buttons or check boxes, offers."""
        found = []
        for control in self._called(name):
            if control.tag == "select":
                found += [option.attributes.get("value", option.text) for option in control.all("option")]
            elif control["type"] in ("radio", "checkbox"):
                found.append(control.attributes.get("value", "on"))
        return found

    def fill(self, **values: str | list[str] | bool) -> "Form":
        """Type, choose or tick; a list ticks several, True and False tick or clear a lone box."""
        for name, value in values.items():
            choices = self.choices(name)
            if isinstance(value, bool):
                value = choices[:1] if value else []
            chosen = [value] if isinstance(value, str) else value
            if choices:
                wrong = [one for one in chosen if one not in choices]
                assert not wrong, f"{name} does not offer {wrong}, but {choices}"
            else:
                longest = self._called(name)[0]["maxlength"]
                chosen = [one[: int(longest)] if longest else one for one in chosen]  # typing more does nothing
            self.values[name] = chosen
        return self

    def press(self, label: str = "") -> list[tuple[str, str]]:
        """What is sent when the button with this label, name or value is pressed; the first button where none is named."""
        pairs = [(name, value) for name, values in self.values.items() for value in values]
        buttons = [b for b in self._parts if _is_submit(b) and "disabled" not in b.attributes]
        for button in buttons:
            if not label or label in (button["name"], button["value"]) or label in (button.text or button["value"]):
                return pairs + ([(button["name"], button["value"])] if button["name"] else [])
        raise AssertionError(f"no button {label!r}, but {[b.text or b['value'] for b in buttons]}")

    def _called(self, name: str) -> list[Element]:
        found = [c for c in self.controls if c["name"] == name and c.tag != "button"]
        assert found, f"the form has no field {name!r}, but {sorted(self.names)}"
        return found


def _parts_of(form: Element, document: Element) -> Iterator[Element]:
    """The controls of a form: those inside it, and those elsewhere that name it in their `form` attribute."""
    inside = {id(control) for control in form.all()}
    for control in document.all("input", "select", "textarea", "button"):
        if control["form"] == form["id"] if control["form"] else id(control) in inside:
            yield control


def _is_submit(control: Element) -> bool:
    return (control.tag == "button" and control["type"] in ("", "submit")) or (
        control.tag == "input" and control["type"] == "submit"
    )


def _initial(control: Element) -> list[str]:
    """What a browser would send for a control nobody has touched."""
    if control.tag == "button" or control["type"] in ("submit", "button", "reset", "image", "file"):
        return []
    if control.tag == "textarea":
        text = "".join(child for child in control.children if isinstance(child, str))
        return [text.removeprefix("\r").removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")]
    if control.tag == "select":
        options = list(control.all("option"))
        chosen = [o for o in options if "selected" in o.attributes]
        if "multiple" not in control.attributes:
            chosen = chosen[-1:] or options[:1]
        return [o.attributes.get("value", o.text) for o in chosen]
    if control["type"] in ("radio", "checkbox"):
        return [control.attributes.get("value", "on")] if "checked" in control.attributes else []
    return [control["value"]]


@dataclass
class Page:
    """An answer of the server, read as a page where it is one."""

    url: str
    status: int
    headers: Any = field(repr=False)
    body: bytes = field(repr=False)

    def __post_init__(self) -> None:
        self.html = self.body.decode("utf-8", "replace")
        self.document = parse(self.html) if "html" in self.headers.get("Content-Type", "") else Element("none", {})

    @property
    def path(self) -> str:
        """Where the browser ended up, without host and query."""
        return urlsplit(self.url).path

    @property
    def text(self) -> str:
        """What a person reads of the main part."""
        for main in self.document.all("main"):
            return main.text
        return self.document.text

    @property
    def heading(self) -> str:
        """The page's first heading."""
        return self.document.first("h1").text

    def forms(self) -> list[Form]:
        """All forms, in order."""
        return [Form(element, self.url, self.document) for element in self.document.all("form")]

    def form(self, *fields: str, action: str = "") -> Form:
        """The first form that has all these fields, or this value of a field or button named `action`."""
        for form in self.forms():
            has_action = not action or any(
                c["name"] == "action" and action in (c["value"], *(o["value"] for o in c.all("option")))
                for c in form.controls
            )
            if has_action and {c["name"] for c in form.controls} >= set(fields):
                return form
        raise AssertionError(f"no form with {fields} {action} on {self.url}: {[sorted(f.names) for f in self.forms()]}")

    def link(self, text: str) -> str:
        """Where the first link goes whose text or address contains this."""
        for anchor in self.document.all("a"):
            if text in anchor.text or text in anchor["href"]:
                return urljoin(self.url, anchor["href"])
        raise AssertionError(f"no link {text!r} on {self.url}, but {[a.text for a in self.document.all('a')]}")

    def links(self, part: str) -> list[str]:
        """Addresses of all links that contain this part, each once."""
        found = (urljoin(self.url, a["href"]) for a in self.document.all("a") if part in a["href"])
        return list(dict.fromkeys(found))

    def facts(self) -> dict[str, str]:
        """Terms and their definitions (`dl`), or header cells and what stands beside them (`th`, `td`)."""
        found: dict[str, str] = {}
        term = ""
        for element in self.document.all("dt", "dd", "th", "td"):
            if element.tag in ("dt", "th"):
                term = element.text
            elif term:
                found.setdefault(term, element.text)
        return found


class _From(urllib.request.HTTPHandler):
    """Connections from one address of this machine, of which 127.0.0.0/8 has many."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._connection = partial(http.client.HTTPConnection, source_address=(address, 0))

    def http_open(self, req: urllib.request.Request) -> Any:
        """Open one."""
        return self.do_open(self._connection, req)


File = tuple[str, str, bytes]
"""A file to hand in: the field's name, the file's name, its content."""


class Browser:
    """One person's browser, on its own device: nothing is shared with another one. `address` is where it connects from."""

    def __init__(self, base_url: str, language: str = "", address: str = "", **headers: str) -> None:
        self.base_url = base_url
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(self._cookies),
            *([_From(address)] if address else []),
        )
        self._headers = {"Accept": "text/html,*/*;q=0.8", "User-Agent": "Mozilla/5.0 (journey)", **headers}
        if language:
            self.get(f"/?lang={language}")

    def get(self, url: str) -> Page:
        """Open an address, following redirects."""
        return self._open(urllib.request.Request(urljoin(self.base_url, url), headers=self._headers))

    def click(self, page: Page, link: str) -> Page:
        """Follow a link by its text."""
        return self.get(page.link(link))

    def submit(self, form: Form, button: str = "", files: tuple[File, ...] = ()) -> Page:
        """Press a button of a form, with files chosen in it."""
        pairs = form.press(button)
        if form.method == "GET":
            return self.get(f"{form.url.partition('?')[0]}?{urlencode(pairs)}")
        # A page with Referrer-Policy: no-referrer posts with Origin: null, as Chromium and Firefox do.
        origin = {
            "Origin": "null",
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if files or form.element["enctype"] == "multipart/form-data":
            data, kind = _multipart(pairs, files)
            origin["Content-Type"] = kind
        else:
            data = urlencode(pairs).encode()
        return self._open(urllib.request.Request(form.url, data, {**self._headers, **origin}))

    def cookies(self) -> dict[str, str]:
        """All cookies this browser holds."""
        return {cookie.name: cookie.value or "" for cookie in self._cookies}

    def _open(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=30) as answer:
                return Page(answer.url, answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.url or request.full_url, error.code, error.headers, error.read())


def _multipart(pairs: list[tuple[str, str]], files: tuple[File, ...] = ()) -> tuple[bytes, str]:
    boundary = "----journeyFormBoundary7MA4YWxkTrZu0gW"
    part = f"--{boundary}\r\nContent-Disposition: form-data; name="
    body = "".join(f'{part}"{name}"\r\n\r\n{value}\r\n' for name, value in pairs).encode()
    for name, file_name, content in files:
        body += f'{part}"{name}"; filename="{file_name}"\r\n\r\n'.encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
