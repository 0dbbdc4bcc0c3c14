/* Quicker, never needed: the ask line says what was chosen before it is sent, and its slots close by themselves. */
const line = document.querySelector(".ask .line");

if (line) {
  const words = {
    media: () => [...line.querySelectorAll("[name=media]:checked")].map((each) => each.parentElement.textContent.trim()).join(", ") || "any",
    territories: () => line.querySelector("[name=territories]").value.split(",").map((each) => each.trim()).filter(Boolean).join(" + ") || "anywhere",
    languages: () => line.querySelector("[name=languages]").value.replace("*", "all") || "all",
    dates: () => {
      const [from, to] = ["starts_on", "ends_on"].map((name) => line.querySelector(`[name=${name}]`).value);
      return from || to ? `${from} – ${to || "no end"}` : "any time";
    },
    exclusive: () => (line.querySelector("[name=exclusive]:checked")?.value === "true" ? "exclusive" : "non-exclusive"),
  };
  line.addEventListener("input", () => {
    for (const [name, say] of Object.entries(words)) {
      line.querySelector(`[data-words=${name}]`).textContent = say();
    }
  });
  const close = () => line.querySelectorAll("details[open]").forEach((each) => { each.open = false; });
  document.addEventListener("click", (event) => { if (!line.contains(event.target)) close(); });
  document.addEventListener("keydown", (event) => {
    const open = line.querySelector("details[open]");
    if (event.key === "Escape" && open) { close(); open.querySelector("summary").focus(); }
  });
}

/* A facet is applied when it is ticked. */
document.querySelector(".facets")?.addEventListener("change", (event) => {
  if (event.target.matches("input[type=checkbox], input[type=radio]")) event.currentTarget.requestSubmit();
});

/* A link to something folded unfolds it. */
document.querySelectorAll("a[href^='#']").forEach((link) => link.addEventListener("click", () => {
  const target = document.getElementById(link.hash.slice(1));
  if (target?.matches("details")) target.open = true;
}));
