// Installing is offered once the browser can, until it is declined for good. What localStorage refuses is not remembered.
(() => {
  for (const offer of all("[data-install]")) {
    const KEY = "jangan-tawarkan-aplikasi";
    const remembered = (value) => {
      try {
        return value ? localStorage.setItem(KEY, value) : localStorage.getItem(KEY);
      } catch {
        return null;
      }
    };
    let prompt;
    addEventListener("beforeinstallprompt", (event) => {
      event.preventDefault(); // The browser's own bar would lie over the fields.
      prompt = event;
      offer.hidden = Boolean(remembered());
    });
    addEventListener("appinstalled", () => (offer.hidden = true));
    offer.querySelector("[data-install-accept]").addEventListener("click", () => {
      prompt?.prompt();
      offer.hidden = true;
    });
    offer.querySelector("[data-install-dismiss]").addEventListener("click", () => {
      remembered("ya");
      offer.hidden = true;
    });
  }
})();
