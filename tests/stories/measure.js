/* Run inside a page: what of it breaks a rule that can be measured, as sentences by rule, and how many texts were read.
   The rules are those of WCAG 2.2 (1.3.1, 1.4.3, 1.4.10, 3.1.2, 4.1.2) as far as a script can tell. */
() => {
  const found = { width: [], contrast: [], labels: [], headings: [], language: [], texts: 0 };
  const ENOUGH = 4.5, ENOUGH_IF_LARGE = 3;
  const SCRIPTS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

  const called = (element) => {
    const parts = [];
    for (let each = element; each && each !== document.body && parts.length < 3; each = each.parentElement) {
      parts.unshift(each.localName + (each.id ? `#${each.id}` : "") + [...each.classList].map((name) => `.${name}`).join(""));
    }
    return parts.join(" > ");
  };
  const excerpt = (words) => `“${words.trim().replace(/\s+/g, " ").slice(0, 40)}”`;

  /* ---- width: the document never scrolls sideways */
  if (document.documentElement.scrollWidth > window.innerWidth) {
    const inside = (element) => { // in a part that scrolls by itself, or is cut, it does not count
      for (let each = element.parentElement; each; each = each.parentElement) {
        if (getComputedStyle(each).overflowX !== "visible" && each !== document.documentElement && each !== document.body) return true;
      }
      return false;
    };
    const wide = [...document.body.querySelectorAll("*")].filter(
      (each) => each.getBoundingClientRect().right > window.innerWidth + 0.5 && !inside(each));
    const inner = wide.filter((each) => !wide.some((other) => other !== each && each.contains(other)));
    found.width.push(`the document is ${document.documentElement.scrollWidth}px wide in a window of ${window.innerWidth}px: `
      + inner.slice(0, 4).map((each) => `${called(each)} ends at ${Math.round(each.getBoundingClientRect().right)}px`).join("; "));
  }

  /* ---- contrast: text against what is painted behind it */
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = colour;
      brush.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = brush.getImageData(0, 0, 1, 1).data;
      known.set(colour, [red, green, blue, alpha / 255]);
    }
    return known.get(colour);
  };
  const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);
  const luminance = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((value) => value / 255).map(
      (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ratio = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const CANVAS = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
  const behind = (element) => { // the colour behind its text; null on a pattern
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.backgroundImage !== "none") return null;
      const colour = rgba(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((back, front) => over(front, back), CANVAS);
  };
  const opacity = (element) => {
    let left = 1;
    for (let each = element; each; each = each.parentElement) left *= Number(getComputedStyle(each).opacity);
    return left;
  };
  const read = (element, words, pseudo) => {
    const style = getComputedStyle(element, pseudo);
    const back = behind(element);
    if (!back) return;
    const ink = rgba(style.color);
    const faded = [...ink.slice(0, 3), ink[3] * opacity(element) * (pseudo ? Number(style.opacity) : 1)];
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const measured = ratio(over(faded, back), back);
    found.texts += 1;
    if (measured < (large ? ENOUGH_IF_LARGE : ENOUGH)) {
      found.contrast.push(`${called(element)}${pseudo ?? ""} ${excerpt(words)} ${measured.toFixed(2)}:1, ${style.color} on rgb(${back.slice(0, 3).map(Math.round)}), ${size}px`);
    }
  };
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    && !element.closest("[aria-hidden=true], .hide");
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("script, style, noscript")) continue;
    if (SCRIPTS.test(node.data) && element.closest("[lang]")?.lang.toLowerCase().startsWith("en")) {
      found.language.push(`${called(element)} ${excerpt(node.data)}`);
    }
    range.selectNodeContents(node);
    if (shown(element) && !element.closest(":disabled") && range.getClientRects().length) read(element, node.data);
  }
  for (const field of document.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=radio]), textarea")) {
    if (!shown(field) || field.disabled) continue;
    if (field.value || field.type === "date") read(field, field.value);
    else if (field.placeholder) read(field, field.placeholder, "::placeholder");
  }

  /* ---- labels: every control has a name of its own, and an id stands once */
  const says = (element) => {
    const by = (element.getAttribute("aria-labelledby") ?? "").split(/\s+/).filter(Boolean).map((id) => document.getElementById(id));
    return [element.getAttribute("aria-label"), ...by.map((each) => each?.textContent),
      ...[...element.labels ?? []].map((each) => each.textContent),
      element.localName === "button" ? element.textContent : ""].some((words) => words?.trim());
  };
  for (const control of document.querySelectorAll("input:not([type=hidden]), select, textarea, button")) {
    if (!says(control)) found.labels.push(`${called(control)} name=${control.name}`);
  }
  for (const group of document.querySelectorAll("fieldset")) {
    if (!group.querySelector(":scope > legend")?.textContent.trim()) found.labels.push(`${called(group)} has no legend`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  for (const id of new Set(ids.filter((each, place) => ids.indexOf(each) !== place))) {
    found.labels.push(`#${id} stands ${ids.filter((each) => each === id).length} times`);
  }

  /* ---- headings: one h1, first, and no level left out */
  let level = 0;
  const headings = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter((each) => each.checkVisibility());
  for (const heading of headings) {
    const next = Number(heading.localName[1]);
    if (next > level + 1) found.headings.push(`${called(heading)} ${excerpt(heading.textContent)} follows ${level ? `h${level}` : "nothing"}`);
    level = next;
  }
  const first = headings.filter((each) => each.localName === "h1").length;
  if (first !== 1) found.headings.push(`${first} h1`);
  return found;
}
