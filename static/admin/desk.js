/* Help for admins with JavaScript. Every page of the desk works without it. */
(() => {
  "use strict";

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // In a list with boxes, while the focus is inside it: j and k go down and up, x ticks, Enter opens. Only there, so that
  // no letter typed elsewhere does anything (WCAG 2.1.4).
  for (const list of all("[data-keys]")) {
    const rows = all("tbody tr", list);
    const move = (from, step) => rows[rows.indexOf(from) + step]?.querySelector("a, input")?.focus();
    list.addEventListener("keydown", (event) => {
      const row = event.target.closest("tr");
      if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
      const box = row.querySelector("[data-pick]");
      if (event.key === "j") move(row, 1);
      else if (event.key === "k") move(row, -1);
      else if (event.key === "x" && box) box.click();
      else if (event.key === "Enter" && event.target === box) row.querySelector("a")?.click();
      else return;
      event.preventDefault();
    });
  }

  // Tick all of a list at once.
  for (const button of all("[data-pick-all]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const boxes = all("[data-pick]", document.getElementById(button.dataset.pickAll));
      const isFull = boxes.every((box) => box.checked);
      for (const box of boxes) box.checked = !isFull;
    });
  }

  // How far the worker has come with a file. When it has gone on to another state, the page itself says what is next.
  for (const bar of all("[data-progress]")) {
    const look = async () => {
      try {
        const answer = await fetch(bar.dataset.progress, { headers: { Accept: "application/json" } });
        if (!answer.ok || answer.redirected) return;
        const { state, words, percent } = await answer.json();
        if (state !== bar.dataset.state) return void location.replace(bar.dataset.renewed);
        bar.querySelector("label").textContent = words;
        if (percent !== null) bar.querySelector("progress").value = percent;
      } catch {
        // The line is down for a moment; the next look may reach the portal.
      }
      setTimeout(look, 1000 * bar.dataset.seconds);
    };
    setTimeout(look, 1000 * bar.dataset.seconds);
  }
})();
