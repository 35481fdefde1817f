/* Help for people with JavaScript. Every page works without it; words come from the templates, never from data as HTML. */
(() => {
  "use strict";

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  // NIP: 8-6-1-3 while typing. Anything but digits and separators stays as typed; the server says what is wrong with it.
  const SEPARATORS = /[\s.\-\u00AD\u200B-\u200F\u2010-\u2015\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]/g;
  const grouped = (digits) =>
    [digits.slice(0, 8), digits.slice(8, 14), digits.slice(14, 15), digits.slice(15)].filter(Boolean).join(" ");

  function groupNip(input, event) {
    if (event?.isComposing) return;
    const typed = input.value;
    const digits = typed.replace(SEPARATORS, "");
    if (!/^[0-9]*$/.test(digits)) return;
    const tidy = grouped(digits);
    if (tidy === typed) return;

    const hasCaret = document.activeElement === input;
    const before = typed.slice(0, input.selectionStart ?? typed.length).replace(SEPARATORS, "").length;
    input.value = tidy;
    if (!hasCaret) return;
    // Right behind the digit it stood behind; "Delete" steps over the space, or it would stand still for ever.
    let caret = grouped(digits.slice(0, before)).length;
    if (event?.inputType === "deleteContentForward" && tidy[caret] === " ") caret += 1;
    input.setSelectionRange(caret, caret);
  }

  for (const input of all("[data-nip]")) {
    groupNip(input);
    input.addEventListener("input", (event) => groupNip(input, event));
    input.addEventListener("compositionend", () => groupNip(input));
    addEventListener("pageshow", () => groupNip(input));
  }

  // Passwords: a show button, and hidden again before the form leaves, so that browsers offer to remember it.
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

  // Password rules: ticked while typing, by mark and in words; one short sentence for screen readers after a pause.
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
      state.className = "visually-hidden";
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

  // A double click sends a form once. The button is never disabled; the server guards itself as well.
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

  // A photo beyond what is kept is made smaller before it is sent, upright as the browser shows it. What the browser can show
  // and the portal does not take becomes a JPEG too. Whatever goes wrong, the file leaves as it was chosen.
  const megabytes = (size) => Math.max(size / 1048576, 0.1).toFixed(1).replace(".", ",");
  const UNTOUCHED = /^(?:(?!image\/)|image\/svg)/;

  async function smaller(file, side, most) {
    if (UNTOUCHED.test(file.type) || (file.size <= most && /^image\/(jpeg|png)$/.test(file.type))) return null;
    const photo = await createImageBitmap(file);
    const scale = Math.min(1, side / Math.max(photo.width, photo.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(photo.width * scale));
    canvas.height = Math.max(1, Math.round(photo.height * scale));
    const paper = canvas.getContext("2d");
    paper.fillStyle = "#fff";
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.drawImage(photo, 0, 0, canvas.width, canvas.height);
    photo.close();
    const drawn = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    if (drawn?.type !== "image/jpeg" || (drawn.size >= file.size && file.type === drawn.type)) return null;
    const chosen = new DataTransfer();
    chosen.items.add(new File([drawn], file.name.replace(/\.\w+$/, "") + ".jpg", { type: drawn.type }));
    return chosen.files;
  }

  for (const input of all("[data-shrink]")) {
    const said = document.createElement("p");
    said.className = "field__hint";
    said.setAttribute("role", "status");
    input.after(said);
    let at = 0; // Of what was chosen; a later choice is another one.
    let isAtWork = false;
    let waiting;

    input.addEventListener("change", async () => {
      const file = input.files[0];
      const mine = ++at;
      said.textContent = "";
      isAtWork = Boolean(file);
      if (!file) return;
      if (file.size > Number(input.dataset.most) && !UNTOUCHED.test(file.type)) said.textContent = input.dataset.shrinking;
      const small = await smaller(file, Number(input.dataset.shrink), Number(input.dataset.most)).catch(() => null);
      if (mine !== at) return;
      isAtWork = false;
      said.textContent = "";
      if (small) {
        input.files = small;
        said.textContent = fill(input.dataset.shrunk, { before: megabytes(file.size), after: megabytes(small[0].size) });
      }
      if (waiting) input.form.requestSubmit(waiting.submitter);
      waiting = undefined;
    });
    input.form.addEventListener("submit", (event) => {
      if (!isAtWork || !input.form.requestSubmit) return;
      event.preventDefault();
      waiting = { submitter: event.submitter };
    });
  }

  // Without a network the page stays as it is, with all that was typed, and says so above the button. The worker answers a
  // form that got no answer with "no content", and tells here.
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
  addEventListener("load", () => navigator.serviceWorker?.register("/sw.js", { updateViaCache: "none" }).catch(() => {}));

  // As an app: the words of the app, and the way to the mailbox.
  if (matchMedia("(display-mode: standalone), (display-mode: fullscreen), (display-mode: minimal-ui)").matches) {
    for (const button of all("[data-in-app]")) button.textContent = button.dataset.inApp;
    for (const part of all("[data-only-in-app]")) part.hidden = false;
  }

  // The token from the clipboard, where the browser can read it. A whole mail may have been copied: the token is found in it.
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

  // Installing is offered once the browser can, until it is declined for good. What localStorage refuses is not remembered.
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

  // Countdown: what it waits for is there without JavaScript, and comes back when the time is over.
  for (const line of all("[data-countdown]")) {
    const next = document.getElementById(line.dataset.then);
    const over = Date.now() + Number(line.dataset.seconds) * 1000;
    const text = line.dataset.text || "Kirim ulang bisa dipakai lagi dalam {n} detik";
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

  // Errors: the summary is read first; its links lead into the field, with the label in sight.
  for (const summary of all("[data-error-summary]")) {
    summary.focus();
    summary.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (!field) return;
      event.preventDefault();
      (field.labels?.[0] || field).scrollIntoView();
      field.focus({ preventScroll: true });
    });
  }

  // Session end: said 150 s before, with a way to stay. Other tabs of the same visitor hear of it. At the end the portal is
  // asked once more, by a question that is no use: it ends the session, not this clock.
  for (const box of all("[data-session-ends]")) {
    const WARN = 150;
    const find = (name) => box.querySelector(name);
    const dialog = find("dialog");
    const form = find("[data-session-stay]");
    const trouble = find("[data-session-trouble]");
    const tabs = "BroadcastChannel" in window ? new BroadcastChannel("session-end") : null;
    let end = Date.now() + Number(box.dataset.secondsLeft) * 1000;
    let warned = false;

    const leave = () => {
      clearInterval(timer);
      location.assign(box.dataset.login);
    };
    // What was typed at the desk goes along. The session is over, so the portal does nothing with it but show the login
    // in its place, and then the form again; and nothing of anybody stays on the screen.
    const takeAlong = () => {
      const isAgain = document.querySelector("[data-error-summary]"); // then what was typed is what the page came with
      const isTyped = (field) =>
        field.matches('textarea, input[type="text"], input[type="email"]') &&
        !field.readOnly && field.value && (isAgain || field.value !== field.defaultValue);
      const typed = all('main form[method="post"]').find((one) => [...one.elements].some(isTyped));
      if (!typed || !location.pathname.startsWith("/admin/")) return false;
      clearInterval(timer);
      for (const file of all('input[type="file"]', typed)) file.disabled = true;
      HTMLFormElement.prototype.submit.call(typed);
      return true;
    };
    let isAsking = false;
    const askWhetherItIsOver = async () => {
      if (isAsking) return;
      isAsking = true;
      try {
        const answer = await fetch(box.dataset.left, { credentials: "same-origin" });
        const { seconds_left: left, shown } = await answer.json();
        if (!(left > 0)) return void (takeAlong() || leave());
        move({ until: Date.now() + left * 1000, shown });
      } catch {
        leave(); // Whatever is in the way: nothing of anybody stays on the screen.
      } finally {
        isAsking = false;
      }
    };
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left <= 0) return void askWhetherItIsOver();
      if (left > WARN) return;
      const minutes = Math.floor(left / 60);
      const words = fill(minutes ? box.dataset.clockLong : box.dataset.clockShort, { m: minutes, s: left % 60 });
      find("[data-session-clock]").textContent = words;
      if (!warned) dialog.showModal();
      else if (dialog.open && (left === 60 || left === 20)) find("[data-session-said]").textContent = words;
      warned = true;
    };
    const move = ({ until, shown }) => {
      end = until;
      if (end - Date.now() > WARN * 1000) warned = false; // Else this was the last extension: say it once only.
      // The old time is wrong now; if the new one did not come along, no time is better.
      if (shown) find("[data-session-shown]").textContent = shown;
      else find("[data-session-when]").hidden = true;
      dialog.close();
    };
    const stay = async (event) => {
      event.preventDefault();
      trouble.hidden = true;
      try {
        const answer = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" });
        if (answer.redirected || [401, 403].includes(answer.status)) return leave();
        if (!answer.ok) throw new Error(answer.status);
        const { seconds_left: left, shown } = await answer.json();
        const news = { until: Date.now() + left * 1000, shown };
        move(news);
        tabs?.postMessage(news);
      } catch {
        trouble.hidden = false;
      }
    };

    const timer = setInterval(tick, 1000);
    form.addEventListener("submit", stay);
    dialog.addEventListener("cancel", stay); // Escape says: I am here.
    tabs?.addEventListener("message", ({ data }) => data.until > end && move(data));
    tabs?.postMessage({ until: end, shown: find("[data-session-shown]").textContent });
    addEventListener("pageshow", tick);
    tick();
  }
})();
