/* Titles while somebody types in the search box, as links below it (a combobox of WAI-ARIA's). Without this, or where an
   answer does not come, the box is a search box. */
const PAUSE = 120; // milliseconds without a key before it is asked
const box = document.querySelector("#q[data-suggestions]");

if (box) {
  const list = document.createElement("ul"), told = document.createElement("p");
  Object.assign(list, { id: "suggestions", hidden: true, className: "suggestions" });
  Object.assign(told, { className: "hide" });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Titles");
  told.setAttribute("role", "status");
  for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id,
    "aria-autocomplete": "list", autocomplete: "off" })) box.setAttribute(name, value);
  box.after(list, told);
  let timer = 0, asked = "", at = -1;

  const options = () => [...list.children];
  const show = (open) => {
    list.hidden = !open;
    box.setAttribute("aria-expanded", String(open));
    if (!open) choose(-1);
  };
  const choose = (place) => {
    options()[at]?.removeAttribute("aria-selected");
    at = place;
    const option = options()[at];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) box.setAttribute("aria-activedescendant", option.id);
    else box.removeAttribute("aria-activedescendant");
  };

  const drawn = ({ title, english_title, language, about, url }, place) => {
    const option = document.createElement("li"), link = document.createElement("a");
    option.id = `suggestion-${place}`;
    option.setAttribute("role", "option");
    link.href = url;
    link.tabIndex = -1; // the arrow keys go through the list, Tab leaves it
    for (const [tag, words, lang] of [["b", title, language], ["i", english_title, "en"], ["span", about]]) {
      if (!words) continue;
      const each = document.createElement(tag);
      each.textContent = words;
      if (lang) each.lang = lang;
      link.append(each, " ");
    }
    option.append(link);
    return option;
  };

  async function ask() {
    const words = box.value.trim();
    if (words === asked) return;
    asked = words;
    if (!words) { show(false); return; }
    const line = new URLSearchParams(new FormData(box.form));
    const answer = await fetch(`${box.dataset.suggestions}?${line}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (words !== box.value.trim() || !answer?.ok) return; // typed on meanwhile
    const found = await answer.json();
    list.replaceChildren(...found.map(drawn));
    at = -1;
    told.textContent = found.length ? `${found.length} title${found.length === 1 ? "" : "s"} below. The arrow keys go through them.` : "";
    show(found.length > 0 && document.activeElement === box);
  }

  box.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(ask, PAUSE); // an input method still at work has no word yet
  });
  box.addEventListener("compositionend", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const many = options().length, step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && many) {
      event.preventDefault();
      if (list.hidden) show(true);
      choose(at < 0 && step < 0 ? many - 1 : at + step >= many ? -1 : at + step);
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      options()[at].querySelector("a").click();
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault(); // the words stay
      show(false);
    }
  });
  box.addEventListener("blur", () => show(false));
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus, so that the click arrives
}
