"""Two ways of using a page: pointing, which needs no script, and the keyboard alone."""

from typing import Any, Protocol

from playwright.sync_api import FileChooser, Page

MOST_TABS = 150
MOST_ARROWS = 90


class Hand(Protocol):
    """How a person fills in a page. Fields are named, buttons and links are CSS selectors."""

    page: Page

    def write(self, name: str, text: str) -> None:
        """Type into a field."""

    def choose(self, name: str, value: str) -> None:
        """Choose from a list, or from radio buttons."""

    def tick(self, name: str) -> None:
        """Tick a box."""

    def unfold(self, selector: str) -> None:
        """Open what is folded away, unless it is open."""

    def attach(self, name: str, file: dict[str, Any]) -> None:
        """Choose a file."""

    def press(self, selector: str) -> None:
        """Press a button or follow a link, and wait for the next page."""


class Pointer:
    """A finger or a mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def write(self, name: str, text: str) -> None:
        self.page.fill(f"[name={name}]", text)

    def choose(self, name: str, value: str) -> None:
        if self.page.locator(f"select[name={name}]").count():
            self.page.select_option(f"[name={name}]", value)
        else:
            self.page.check(f"[name={name}][value='{value}']")

    def tick(self, name: str) -> None:
        self.page.check(f"[name={name}]")

    def unfold(self, selector: str) -> None:
        if not self.page.locator(f"{selector}[open]").count():
            self.page.click(f"{selector} > summary")

    def attach(self, name: str, file: dict[str, Any]) -> None:
        self.page.set_input_files(f"[name={name}]", file)

    def press(self, selector: str) -> None:
        self.page.click(selector)
        self.page.wait_for_load_state("load")


class Keyboard:
    """Tab, arrows, space and Enter; nothing is touched by other means. What Tab does not reach cannot be used."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._opened: list[FileChooser] = []
        # From the beginning: Chromium must know that nobody looks at its dialogue before it opens one.
        page.on("filechooser", lambda chooser: self._opened.append(chooser))

    def write(self, name: str, text: str) -> None:
        self._go_to(f"[name={name}]")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def choose(self, name: str, value: str) -> None:
        self._go_to(f"[name={name}]")
        if self._value()["type"] == "radio":
            self.page.keyboard.press("Space")
        for _ in range(MOST_ARROWS):
            if self._value()["value"] == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"the arrows do not reach {value} of {name}")

    def tick(self, name: str) -> None:
        self._go_to(f"[name={name}]")
        self.page.keyboard.press("Space")

    def unfold(self, selector: str) -> None:
        if not self.page.locator(f"{selector}[open]").count():
            self._go_to(f"{selector} > summary")
            self.page.keyboard.press("Enter")

    def attach(self, name: str, file: dict[str, Any]) -> None:
        self._go_to(f"[name={name}]")
        self.page.keyboard.press("Space")
        for _ in range(200):
            if self._opened:
                break
            self.page.wait_for_timeout(50)
        self._opened.pop().set_files(file)  # type: ignore[arg-type]

    def press(self, selector: str) -> None:
        self._go_to(selector)
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")

    def _go_to(self, selector: str) -> None:
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"Tab does not reach {selector} on {self.page.url}")

    def _value(self) -> dict[str, str]:
        found: dict[str, str] = self.page.evaluate(
            "() => ({type: document.activeElement.type, value: document.activeElement.value})"
        )
        return found
