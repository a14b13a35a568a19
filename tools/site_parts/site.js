// What the theme leaves out for those who read with a keyboard or a screen reader: regions that scroll can be reached,
// and the buttons of each block of code have a name of their own.
"use strict";
(() => {
  const tend = () => {
    document.querySelectorAll(".md-code__nav").forEach((each, number) => {
      const name = `Block of code ${number + 1}`;
      if (each.getAttribute("aria-label") !== name) each.setAttribute("aria-label", name);
    });
    for (const each of document.querySelectorAll(".md-typeset__scrollwrap, .highlight pre, .highlight code, .shown")) {
      if (each.scrollWidth > each.clientWidth && each.tabIndex < 0) each.tabIndex = 0;
    }
  };
  document.addEventListener("DOMContentLoaded", () => {
    tend();
    new MutationObserver(tend).observe(document.body, { childList: true, subtree: true });
    window.addEventListener("resize", tend);
  });
})();
