// The only script: blocks that are live follow what happens. Without it every page is whole, as it was when asked for.
"use strict";
(() => {
  const main = document.querySelector("main[data-live]");
  const said = document.querySelector("#following");
  if (!main || !said || !window.EventSource) return;
  let stream = null;

  const show = (event) => {
    for (const [anchor, html] of Object.entries(JSON.parse(event.data))) {
      const face = document.querySelector(`#${CSS.escape(anchor)} > .face`);
      // Who is reading in it with the keyboard is not thrown out.
      if (face && !face.contains(document.activeElement)) face.innerHTML = html;
    }
  };
  const begin = () => {
    stream = new EventSource(main.dataset.live);
    stream.onopen = () => { said.textContent = "live"; said.dataset.is = "on"; };
    stream.onerror = () => { said.textContent = "not live: reload to see the newest"; said.dataset.is = "off"; };
    stream.onmessage = show;
  };
  const end = () => { if (stream) stream.close(); stream = null; };

  // A page in the background asks for nothing.
  document.addEventListener("visibilitychange", () => { end(); if (!document.hidden) begin(); });
  window.addEventListener("pagehide", end);
  begin();
})();
