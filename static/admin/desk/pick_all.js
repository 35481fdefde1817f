// Tick all of a list at once.
(() => {
  for (const button of all("[data-pick-all]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const boxes = all("[data-pick]", document.getElementById(button.dataset.pickAll));
      const isFull = boxes.every((box) => box.checked);
      for (const box of boxes) box.checked = !isFull;
    });
  }
})();
