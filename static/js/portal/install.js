// Offer to install as soon as the browser can, until the person declines for good. Without localStorage it is forgotten.
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
      event.preventDefault(); // The browser's own bar would cover the fields.
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
