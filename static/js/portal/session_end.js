// Session end: a dialog says so 150 s before, with a way to stay. Other tabs of the same visitor get a message. At the end
// the script asks the portal once more, without prolonging the session: the portal ends the session, not this clock.
(() => {
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
    // What was typed at the desk is sent. The session is over, so the portal only shows the login in place of the page, and
    // then the form again. No data of a person stays on the screen.
    const takeAlong = () => {
      const isAgain = document.querySelector("[data-error-summary]"); // then the page came with what was typed
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
        const { seconds_left: left, shown, at } = await answer.json();
        if (!(left > 0)) return void (takeAlong() || leave());
        move({ until: Date.now() + left * 1000, shown, at });
      } catch {
        leave(); // Whatever went wrong: no data of a person stays on the screen.
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
    const move = ({ until, shown, at }) => {
      end = until;
      if (end - Date.now() > WARN * 1000) warned = false; // Otherwise this was the last extension: say it only once.
      // The old time is wrong now. If the answer has no new time, it is better to show none.
      const time = find("[data-session-shown]");
      if (shown) Object.assign(time, { textContent: shown, dateTime: at ?? "" });
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
        const { seconds_left: left, shown, at } = await answer.json();
        const news = { until: Date.now() + left * 1000, shown, at };
        move(news);
        tabs?.postMessage(news);
      } catch {
        trouble.hidden = false;
      }
    };

    const timer = setInterval(tick, 1000);
    form.addEventListener("submit", stay);
    dialog.addEventListener("cancel", stay); // Escape means: I am here.
    tabs?.addEventListener("message", ({ data }) => data.until > end && move(data));
    const { textContent: shown, dateTime: at } = find("[data-session-shown]");
    tabs?.postMessage({ until: end, shown, at });
    addEventListener("pageshow", tick);
    tick();
  }
})();
