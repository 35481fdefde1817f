// Password rules: each is ticked while typing, by mark and in words; screen readers get one short sentence after a pause.
(() => {
  const KEEPS = {
    length: (password, least) => [...password].length >= least,
    upper: (password) => /[A-Z]/.test(password),
    lower: (password) => /[a-z]/.test(password),
    digit: (password) => /[0-9]/.test(password),
    symbol: (password) => /[^A-Za-z0-9\s]/.test(password),
  };

  for (const list of all("[data-password-rules]")) {
    const input = document.getElementById(list.dataset.for);
    if (!input) continue;
    const rules = all("[data-rule]", list).filter((item) => item.dataset.rule in KEEPS).map((item) => {
      const state = document.createElement("span");
      item.append(state);
      return { item, state };
    });
    const said = document.createElement("p");
    said.className = "visually-hidden";
    said.setAttribute("role", "status");
    list.after(said);

    let pause;
    const look = (event) => {
      let met = 0;
      for (const { item, state } of rules) {
        const kept = KEEPS[item.dataset.rule](input.value, Number(item.dataset.min || 1));
        met += kept;
        item.toggleAttribute("data-met", kept);
        state.className = kept ? "" : "visually-hidden";
        state.textContent = `, ${kept ? list.dataset.met : list.dataset.unmet}`;
      }
      if (!event) return;
      clearTimeout(pause);
      pause = setTimeout(() => {
        const sentence = fill(list.dataset.count, { n: met, all: rules.length });
        if (said.textContent !== sentence) said.textContent = sentence;
      }, 1200);
    };
    look();
    input.addEventListener("input", look);
    addEventListener("pageshow", () => look());
  }
})();
