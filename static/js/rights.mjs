/* The drawings of a title's rights. Without this every cell is a link that asks for itself. With it each drawing is one
   stop of the Tab key, the arrow keys move inside it, and a line below says the whole sentence of the cell in hand. */
const near = (from, links, along, sign) => { // the nearest link that lies in a direction, straight ahead before aside
  const middle = (link) => {
    const box = link.getBoundingClientRect();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  };
  const here = middle(from), aside = along === "x" ? "y" : "x";
  let best = null, least = Infinity;
  for (const link of links) {
    const there = middle(link), ahead = (there[along] - here[along]) * sign;
    if (ahead < 2) continue;
    const cost = ahead + 4 * Math.abs(there[aside] - here[aside]);
    if (cost < least) [best, least] = [link, cost];
  }
  return best;
};

const row = (link) => [...link.closest("tr, ul").querySelectorAll("a")];
const MOVES = {
  ArrowRight: (link, links) => near(link, links, "x", 1),
  ArrowLeft: (link, links) => near(link, links, "x", -1),
  ArrowDown: (link, links) => near(link, links, "y", 1),
  ArrowUp: (link, links) => near(link, links, "y", -1),
  Home: (link, links, all) => (all ? links[0] : row(link)[0]),
  End: (link, links, all) => (all ? links.at(-1) : row(link).at(-1)),
};

for (const drawing of document.querySelectorAll("[data-roving]")) {
  const links = [...drawing.querySelectorAll("a")];
  const line = drawing.closest("section.block").querySelector("[data-says]");
  let stop = drawing.querySelector(".asked a, .asked-row a") ?? links[0];
  links.forEach((link) => { link.tabIndex = link === stop ? 0 : -1; });
  if (line) line.hidden = false;

  const say = (link) => {
    if (!line) return;
    line.textContent = link.getAttribute("aria-label");
    line.classList.add("now");
  };
  drawing.addEventListener("focusin", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    stop.tabIndex = -1;
    link.tabIndex = 0;
    stop = link;
    say(link);
  });
  drawing.addEventListener("pointerover", (event) => {
    const link = event.target.closest("td, li")?.querySelector("a");
    if (link) say(link);
  });
  drawing.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move || event.altKey || event.metaKey || !event.target.matches("a")) return;
    event.preventDefault();
    move(event.target, links, event.ctrlKey)?.focus();
  });
}

/* On paper the map stands with its table. */
const twin = document.querySelector(".twin");
if (twin) {
  let was = twin.open;
  addEventListener("beforeprint", () => { was = twin.open; twin.open = true; });
  addEventListener("afterprint", () => { twin.open = was; });
}
