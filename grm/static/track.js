/* The complainant's page on a shared phone. A convenience only: without it the page works, and its forms end after half an hour.
   It leaves the page after half an hour without a touch, and never shows it again out of the browser's memory. */
"use strict";
(() => {
  const leave = document.getElementById("leave");
  const AFTER = 30 * 60 * 1000;
  let last = Date.now(), isOver = false;

  const end = () => {
    if (isOver) return;
    isOver = true;
    document.querySelector("main").hidden = true;
    leave.submit();
  };
  const touched = () => { last = Date.now(); };

  for (const kind of ["input", "click", "keydown", "scroll", "touchstart"]) addEventListener(kind, touched, { passive: true });
  const check = () => { if (Date.now() - last >= AFTER) end(); };
  setInterval(check, 15000);
  document.addEventListener("visibilitychange", check);
  addEventListener("pageshow", (event) => { if (event.persisted) location.replace("/track"); });
})();
