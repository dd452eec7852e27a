/* Counts the seconds of a waiting page down and then goes on, as its button does; where there is none, tries the page again. */
"use strict";
(() => {
  const shown = document.getElementById("seconds");
  if (!shown) return;
  const form = shown.closest("form");
  const ends = Date.now() + 1000 * Number(shown.dataset.seconds);
  const tick = () => {
    const left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
    shown.textContent = left.toLocaleString(document.documentElement.lang === "bn" ? "bn-BD" : "en-GB");
    if (left > 0) { setTimeout(tick, 1000); return; }
    if (!form) { location.reload(); return; }
    if (form.requestSubmit) form.requestSubmit(form.querySelector("button")); else form.submit();
  };
  tick();
})();
