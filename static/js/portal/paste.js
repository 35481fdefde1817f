// Take the token from the clipboard, if the browser can read it. The person may have copied a whole mail: then the token
// is found in it.
(() => {
  for (const box of all("[data-paste]")) {
    const input = document.getElementById(box.dataset.paste);
    const [button, trouble] = box.children;
    button.classList.remove("needs-script");
    button.hidden = !navigator.clipboard?.readText;
    button.addEventListener("click", async () => {
      try {
        const text = (await navigator.clipboard.readText()).trim().slice(0, 5000);
        input.value = text.match(/^\s*([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})\s*$/m)?.[1] ?? text;
        trouble.hidden = true;
        input.focus();
      } catch {
        trouble.hidden = false;
      }
    });
  }
})();
