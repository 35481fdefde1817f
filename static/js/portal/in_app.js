// In the installed app: the words of the app, and the way to the mailbox.
(() => {
  if (matchMedia("(display-mode: standalone), (display-mode: fullscreen), (display-mode: minimal-ui)").matches) {
    for (const button of all("[data-in-app]")) button.textContent = button.dataset.inApp;
    for (const part of all("[data-only-in-app]")) part.hidden = false;
  }
})();
