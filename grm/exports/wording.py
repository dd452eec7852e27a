"""The words for files that are prepared: states, reasons, formats."""

from grm.web.locale import gettext

FORMAT_NAMES = {"csv": "CSV", "xlsx": "Excel", "pdf": "PDF"}


def state_tag(state: str) -> tuple[str, str]:
    """The words and the colour of a job's state."""
    return {
        "queued": (gettext("Waiting"), "amber"),
        "running": (gettext("Being prepared"), "blue"),
        "done": (gettext("Ready"), "green"),
        "failed": (gettext("Could not be prepared"), "red"),
        "cancelled": (gettext("Cancelled"), ""),
        "expired": (gettext("Deleted after seven days"), ""),
    }[state]


def reason(code: str) -> str:
    """Why there is no file."""
    known = {
        "interrupted": gettext("It was interrupted three times. Ask for it again, or choose less."),
        "too-many-rows": gettext("There are more rows than such a file can hold. Choose less, or CSV."),
        "too-long": gettext("It took longer than a quarter of an hour. Choose less."),
        "too-many-exports": gettext("You wait for five files already. Let one get ready, or cancel one."),
        "not-found": gettext("You may no longer see this list."),
        "no-bangla-font": gettext("This server has no Bangla font, so it cannot make PDF files. Choose Excel or CSV."),
        "no-room": gettext("There was no room left on the disk. Tell whoever runs the system."),
    }
    return known.get(
        code, gettext("Something went wrong in the system. Ask for it again; if it fails again, report it.")
    )
