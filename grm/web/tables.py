"""The rows of the macro `data_table` (`templates/macros/ui.html`): a report has a thousand cells, and a template takes longer
for each."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jinja2 import Environment, pass_environment
from markupsafe import Markup, escape


@pass_environment
def table_rows(
    environment: Environment,
    rows: Iterable[Any],
    cells: Sequence[tuple[Any, Markup, Markup]],
    row_class: str | None,
    write: Callable[[Any, Any], Markup] | None,
) -> Markup:
    """Return the rows, which may be objects or mappings.

    `cells` are the key of each column and what stands before and after its cells; `write(row, key)` is the call block that writes
    one, None: `row[key]` is shown. `row_class` is the key of a row's class.
    """
    found: list[str] = []
    for row in rows:
        kind = environment.getitem(row, row_class) if row_class else None
        found.append(f'<tr role="row" class="{escape(kind)}">' if kind else '<tr role="row">')
        for key, before, after in cells:
            inside = str.strip(write(row, key)) if write else escape(environment.getitem(row, key))
            found += (before, inside, after)
        found.append("</tr>\n")
    return Markup("".join(found))  # made by our own templates, values escaped
