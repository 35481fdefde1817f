// Countdown: the element that it waits for is there without JavaScript, and comes back when the time is over.
(() => {
  for (const line of all("[data-countdown]")) {
    const next = document.getElementById(line.dataset.then);
    const over = Date.now() + Number(line.dataset.seconds) * 1000;
    const text = line.dataset.text || "Anda dapat mengirim ulang dalam {n} detik";
    const said = document.createElement("p");
    said.className = "visually-hidden";
    said.setAttribute("role", "status");
    line.after(said);
    if (next) next.hidden = true;

    const tick = () => {
      const left = Math.ceil((over - Date.now()) / 1000);
      if (left > 0) {
        line.textContent = fill(text, { n: left });
        setTimeout(tick, 1000);
        return;
      }
      line.hidden = true;
      if (next) next.hidden = false;
      said.textContent = line.dataset.done || "";
    };
    tick();
  }
})();
