"""What the forms of the case page ask more where a complaint has several complainants."""

from collections.abc import Collection, Iterable, Sequence

from grm.cases.action_form import ActionForm
from grm.cases.models import ContactTask
from grm.cases.queries import Person
from grm.cases.states import Action
from grm.web.locale import gettext


def fill(forms: Iterable[ActionForm], tasks: Collection[ContactTask], people: Sequence[Person]) -> None:
    """Ask who was told, where somebody who has joined in was not reached; else nobody need choose."""
    waiting = {task.complainant_id for task in tasks if task.complainant_id is not None}
    for form in forms:
        if form.action is not Action.INFORM:
            continue
        if not waiting:
            form.drop("whom")
            continue
        names = [
            (str(each.id), each.name or gettext("Somebody who has joined in")) for each in people if each.id in waiting
        ]
        form.offer(whom=[("", gettext("Everybody")), ("0", gettext("Who filed the complaint")), *names])
