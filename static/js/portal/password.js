// Passwords: a button shows the password. It is hidden again before the form leaves, so that browsers offer to save it.
(() => {
  for (const box of all("[data-password]")) {
    const input = box.querySelector("input");
    const button = box.querySelector("button");
    const show = (shown) => {
      input.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
      button.textContent = shown ? button.dataset.hide : button.dataset.show;
    };
    button.classList.remove("needs-script");
    button.addEventListener("click", () => show(input.type === "password"));
    input.form?.addEventListener("submit", () => show(false));
    addEventListener("pagehide", () => show(false));
  }
})();
