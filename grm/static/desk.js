/* Comfort at the desk; the page does everything without it. Ctrl+Enter files, Ctrl+S puts aside, what is typed is kept every
   twenty seconds, the list of upazilas follows the district, and the facts that a kind of complaint asks for unfold. */
"use strict";
(() => {
  const print = document.querySelector("#print");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
  const form = document.querySelector("#desk");
  if (!form) return;
  const aside = document.querySelector("#put-aside");
  const said = document.querySelector("#desk-said");
  const EVERY_MS = 20000;
  let isDirty = false, isLeaving = false, keeping = null;

  document.querySelector("#desk-keys").hidden = false;
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.isComposing) return;
    if (event.key === "Enter") { event.preventDefault(); form.requestSubmit(); }
    else if (event.key === "s" || event.code === "KeyS") { event.preventDefault(); form.requestSubmit(aside); }
  });

  /* Keep what is typed; a file is never sent on the way. */
  const keep = async () => {
    if (!isDirty || isLeaving) return;
    isDirty = false;
    const data = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") data.append(name, value);
    data.set("auto", "1");
    keeping = new AbortController();
    try {
      const answer = await fetch(aside.formAction, { method: "POST", body: data, redirect: "error", signal: keeping.signal });
      said.textContent = answer.ok
        ? `${form.dataset.kept}: ${new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" })}`
        : answer.status === 409 ? "" : form.dataset.notKept;
      if (!answer.ok && answer.status !== 409) isDirty = true;
    } catch {
      if (!isLeaving) { said.textContent = form.dataset.notKept; isDirty = true; }
    }
  };
  form.addEventListener("input", () => { isDirty = true; });
  form.addEventListener("submit", () => { isLeaving = true; if (keeping) keeping.abort(); });
  window.addEventListener("pageshow", () => { isLeaving = false; });
  window.setInterval(keep, EVERY_MS);

  /* Only the upazilas of the district that is chosen. */
  const district = form.elements.district, upazila = form.elements.upazila;
  const groups = Array.from(upazila.querySelectorAll("optgroup"));
  const narrow = () => {
    const chosen = district.selectedOptions[0];
    const own = groups.find((group) => chosen && group.label === chosen.textContent);
    const before = upazila.value;
    groups.forEach((group) => { if (!own || group === own) upazila.append(group); else group.remove(); });
    upazila.value = before;
    if (upazila.selectedIndex < 0) upazila.selectedIndex = 0;
  };
  if (groups.length) { district.addEventListener("change", narrow); narrow(); }

  /* The facts that the kind of complaint asks for. */
  const category = form.elements.category;
  category.addEventListener("change", () => {
    const wanted = category.value === "data-correction" ? "correction" : category.value.startsWith("payment-") ? "payment" : "";
    const part = wanted && form.querySelector(`[data-for="${wanted}"]`);
    if (part) part.closest("details").open = true;
  });
})();
