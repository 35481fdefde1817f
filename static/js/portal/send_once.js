// A double click sends a form once. The button is never disabled; the server guards itself as well.
(() => {
  const sent = new Map();
  const unanswered = document.querySelector("[data-unanswered]");
  let last;

  function release(form) {
    sent.delete(form);
    for (const button of all("[aria-busy]", form)) button.removeAttribute("aria-busy");
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (unanswered) {
      unanswered.hidden = true;
      last = { form, button: event.submitter };
      if (!navigator.onLine) {
        event.preventDefault();
        sayUnanswered();
        return;
      }
    }
    if (Date.now() - (sent.get(form) ?? -Infinity) < 5000) {
      event.preventDefault();
      return;
    }
    sent.set(form, Date.now());
    event.submitter?.setAttribute("aria-busy", "true");
    setTimeout(release, 5000, form);
  });
  addEventListener("pageshow", () => [...sent.keys()].forEach(release));

  // Without a network the page stays as it is, with all that was typed, and says so above the button. If the portal does
  // not answer a form, the service worker answers with "no content" and sends a message to this script.
  function sayUnanswered() {
    if (!unanswered || !last) return;
    const { form, button } = last;
    release(form);
    if (button?.closest("main")) button.before(unanswered);
    else document.querySelector("main").prepend(unanswered);
    unanswered.hidden = false;
    unanswered.scrollIntoView({ block: "nearest" });
  }

  navigator.serviceWorker?.addEventListener("message", ({ data }) => {
    if (data.unanswered && data.unanswered === last?.form.action) sayUnanswered();
  });
})();
