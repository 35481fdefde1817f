// A photo that is larger than the portal keeps is made smaller before it is sent, upright as the browser shows it. A photo
// that the browser can show and the portal does not take becomes a JPEG too. If this fails, the chosen file is sent.
(() => {
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
    let at = 0; // The number of the choice; a later choice has another one.
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
})();
