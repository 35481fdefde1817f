// In a list with boxes, while the focus is inside it: j and k go down and up, x ticks, Enter opens. Only there, so that
// no letter typed elsewhere does anything (WCAG 2.1.4).
(() => {
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
})();
