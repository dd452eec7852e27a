/* The registry beside the desk's form. A convenience only: without it the answer comes in a window of its own.
   It shows the answer below the field, and takes a name or a programme over into the form at a press. */
"use strict";
(() => {
  const form = document.getElementById("registry");
  const found = document.getElementById("registry-found");
  if (!form || !found) return;

  const take = (element, value, name) => {
    const field = document.getElementById(name);
    if (!field || field.form === form || (field.options && ![...field.options].some((option) => option.value === value))) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button plain small";
    button.textContent = form.dataset.take;
    button.addEventListener("click", () => {
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
      field.focus();
    });
    element.append(" ", button);
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    found.textContent = "…";
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Fragment": "registry" } });
      if (answer.redirected || ![200, 422, 503].includes(answer.status)) throw new Error(String(answer.status));
      found.innerHTML = await answer.text();
    } catch {
      found.textContent = form.dataset.away;
      return;
    }
    for (const element of found.querySelectorAll("[data-name]")) take(element, element.dataset.name, "name");
    for (const element of found.querySelectorAll("[data-programme]")) take(element, element.dataset.programme, "programme");
  });
})();
