// Topics of help: the one that the address asks for is open, in every browser; a search shows those with all its words.
(() => {
  const topics = all("[data-topic]");
  const search = document.querySelector("[data-topic-search]");

  const openAsked = () => {
    const asked = location.hash && document.getElementById(location.hash.slice(1));
    const topic = asked && asked.closest("[data-topic]");
    if (!topic) return;
    topic.hidden = false;
    topic.open = true;
    asked.scrollIntoView();
  };
  openAsked();
  addEventListener("hashchange", openAsked);

  if (!search) return;
  const input = search.querySelector("input");
  const said = search.querySelector("[role=status]");
  search.classList.remove("needs-script");
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isEnough = words.join("").length > 2;
    let found = 0;
    for (const topic of topics) {
      const text = topic.textContent.toLowerCase();
      const fits = !isEnough || words.every((word) => text.includes(word));
      topic.hidden = !fits;
      topic.open = fits && isEnough;
      found += fits;
    }
    said.textContent = isEnough ? fill(search.dataset[found ? "found" : "none"], { n: found, all: topics.length }) : "";
  });
})();
