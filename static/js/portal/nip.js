// NIP: groups of 8-6-1-3 while typing. A text with anything else than digits and separators stays as typed; the server
// says what is wrong with it.
(() => {
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
    // The caret stays after the same digit. "Delete" steps over the space; otherwise the caret would never move on.
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
})();
