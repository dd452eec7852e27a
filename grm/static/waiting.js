/* Counts the seconds of the waiting page down and then goes on, as its button does. */
"use strict";
(() => {
  const shown = document.getElementById("seconds");
  const form = shown && shown.closest("form");
  if (!form) return;
  const ends = Date.now() + 1000 * Number(shown.dataset.seconds);
  const tick = () => {
    const left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
    shown.textContent = left.toLocaleString(document.documentElement.lang === "bn" ? "bn-BD" : "en-GB");
    if (left > 0) { setTimeout(tick, 1000); return; }
    const button = form.querySelector("button");
    if (form.requestSubmit) form.requestSubmit(button); else form.submit();
  };
  tick();
})();
