// How far the worker has come with a file. When the state changes, the page is loaded again and says what is next.
(() => {
  for (const bar of all("[data-progress]")) {
    const look = async () => {
      try {
        const answer = await fetch(bar.dataset.progress, { headers: { Accept: "application/json" } });
        if (!answer.ok || answer.redirected) return;
        const { state, words, percent } = await answer.json();
        if (state !== bar.dataset.state) return void location.replace(bar.dataset.renewed);
        bar.querySelector("label").textContent = words;
        if (percent !== null) bar.querySelector("progress").value = percent;
      } catch {
        // The line is down for a moment; the next try may reach the portal.
      }
      setTimeout(look, 1000 * bar.dataset.seconds);
    };
    setTimeout(look, 1000 * bar.dataset.seconds);
  }
})();
