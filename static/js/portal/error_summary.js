// Errors: screen readers read the summary first; its links lead into the field, with the label visible. Without a summary
// they read the warning that answers the form.
(() => {
  const summaries = all("[data-error-summary]");
  if (!summaries.length) document.querySelector("[data-takes-focus]")?.focus();
  for (const summary of summaries) {
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
})();
