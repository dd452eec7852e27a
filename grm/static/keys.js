/* Keyboard shortcuts of the officers' pages; the list is at /help/keys, where they can also be turned off.
   A convenience only: whatever a key does here, a link or a button does too. No key works while somebody types. */
"use strict";
(() => {
  const rows = () => Array.from(document.querySelectorAll("main table.table tbody tr")).filter((row) => row.querySelector("th a[href]"));
  const link = (row) => row.querySelector("th a[href]");
  let before = "", beforeAt = 0;

  const typing = (element) =>
    element.isContentEditable || /^(select|textarea)$/i.test(element.tagName) ||
    (/^input$/i.test(element.tagName) && !/^(checkbox|radio|button|submit)$/i.test(element.type));

  const move = (by) => {
    const all = rows();
    if (!all.length) return;
    const here = all.findIndex((row) => row.contains(document.activeElement));
    const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : here + by;
    if (next < 0 || next >= all.length) return;
    link(all[next]).focus();
    all[next].scrollIntoView({ block: "nearest" });
  };

  const current = () => rows().find((row) => row.contains(document.activeElement));

  const help = async () => {
    const open = document.querySelector("dialog.keys");
    if (open) { open.close(); return; }
    try {
      const answer = await fetch("/help/keys");
      const list = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#keys");
      const dialog = document.createElement("dialog");
      dialog.className = "keys";
      dialog.setAttribute("aria-labelledby", "keys-title");
      dialog.append(document.importNode(list, true));
      dialog.addEventListener("close", () => dialog.remove());
      document.body.append(dialog);
      dialog.showModal();
    } catch {
      location.assign("/help/keys");
    }
  };

  const acts = {
    j: () => move(1),
    k: () => move(-1),
    o: () => { const row = current(); if (row) link(row).click(); },
    x: () => { const box = current() && current().querySelector("input[type=checkbox]"); if (box) box.click(); },
    "/": () => {
      const field = document.querySelector("main input[type=search], main #filter-number");
      if (field) field.focus(); else location.assign("/search");
    },
    "?": help,
    gq: () => location.assign("/queue"),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented || typing(event.target)) return;
    const pair = event.timeStamp - beforeAt < 1500 ? before + event.key : event.key;
    before = event.key;
    beforeAt = event.timeStamp;
    const act = acts[pair] || acts[event.key];
    if (!act || (document.querySelector("dialog[open]") && event.key !== "?")) return;
    event.preventDefault();
    act();
  });

  /* The box that ticks all boxes of the page; without this script the list below the table does the same. */
  const head = document.querySelector("#pick-all");
  if (head) {
    const boxes = () => Array.from(document.querySelectorAll("td.pick input"));
    const all = document.createElement("input");
    all.type = "checkbox";
    all.setAttribute("aria-label", head.dataset.label);
    all.addEventListener("change", () => boxes().forEach((box) => { box.checked = all.checked; }));
    head.append(all);
  }
})();
