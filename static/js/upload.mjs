/* Sends a file straight to the store: small ones by one signed form, large ones in parts, four at a time. The checksum
   is made meanwhile, in a worker. A lost connection is waited for; after a closed tab the same file goes on where it
   stood, for the server knows which parts arrived. */
const AT_ONCE = 4, TRIES = 8, PATIENCE = 500; // the last in milliseconds, doubled at each try
const form = document.querySelector("form.upload");
const SCRIPT = new URL("sha256.mjs", import.meta.url).href;
const WORKER = globalThis.trustedTypes // the one thing the site's policy lets name a script, made once: nothing else can
  ? trustedTypes.createPolicy("worker", { createScriptURL: () => SCRIPT }).createScriptURL("") : SCRIPT;
const TYPES = { mp4: "video/mp4", webm: "video/webm", mov: "video/quicktime", mxf: "application/mxf", pdf: "application/pdf",
  wav: "audio/wav", flac: "audio/flac", m4a: "audio/mp4", zip: "application/zip", vtt: "text/vtt", jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", webp: "image/webp" };

class Refused extends Error {
  constructor(status, words) { super(words); this.status = status; }
}

async function ask(url, body) {
  const answer = await fetch(url, { method: body ? "POST" : "GET", headers: { Accept: "application/json",
    "Content-Type": "application/json", "X-CSRFToken": form.elements.csrf_token.value }, body: body && JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, said.detail ?? `The server answered ${answer.status}.`);
  return said;
}

function put(method, url, body, told) { // fetch() does not tell how far a body is
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.upload.onprogress = (event) => told(event.loaded);
    request.onload = () => (request.status < 300 ? done() : failed(new Refused(request.status, `The store answered ${request.status}.`)));
    request.onerror = request.onabort = () => failed(new Refused(0, "The connection was lost."));
    request.send(body);
  });
}

const wait = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });
const pause = (tried) => PATIENCE * 2 ** tried * (0.75 + Math.random() / 2); // or all who lost one store come back in step

const lost = (problem) => problem instanceof TypeError || [0, 403].includes(problem.status) || problem.status >= 500;
const away = (problem) => problem.status === 503; // refused as a whole: asking again makes nothing twice

async function again(act, passing = lost) { // until it succeeds, or is refused for good
  for (let tried = 0; ; tried += 1) {
    try {
      return await act(tried);
    } catch (problem) {
      if (!passing(problem) || tried === TRIES) throw problem;
      await Promise.race([wait(pause(tried)), new Promise((done) => { addEventListener("online", done, { once: true }); })]);
    }
  }
}

function checksum(file) {
  return new Promise((done, failed) => {
    const worker = new Worker(WORKER, { type: "module" });
    const end = (act, value) => { worker.terminate(); act(value); };
    worker.onmessage = ({ data }) => (typeof data === "string" ? end(done, data) : end(failed, new Error(data.error)));
    worker.onerror = (event) => end(failed, new Error(event.message));
    worker.postMessage(file);
  });
}

function progress(total) {
  const box = form.querySelector(".sending"), bar = box.querySelector("progress"), words = box.querySelector("[role=status]");
  const began = performance.now(), sent = new Map();
  let before = 0, said = 0;
  box.hidden = false;
  return {
    before(bytes) { before = bytes; },
    part(number, bytes) {
      sent.set(number, bytes);
      const now = [...sent.values()].reduce((sum, each) => sum + each, 0), seconds = (performance.now() - began) / 1000;
      const rate = now / Math.max(seconds, 0.1), left = (total - before - now) / Math.max(rate, 1);
      bar.value = (before + now) / total;
      if (performance.now() - said < 500 && before + now < total) return;
      said = performance.now();
      words.textContent = `${Math.round(100 * bar.value)} %, ${(rate / 1e6).toFixed(1)} MB/s, ${left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`} left`;
    },
    say(text) { words.textContent = text; },
  };
}

const at = (name, id) => form.dataset[name].replace("/0", `/${id}`);
const memory = (file) => `upload ${form.action} ${file.size} ${file.lastModified}`;

async function sendParts(file, id, told) {
  const state = await again(() => ask(at("parts", id), { numbers: [] }));
  const size = (number) => Math.min(state.part_size, file.size - (number - 1) * state.part_size);
  const left = Array.from({ length: state.count }, (_, place) => place + 1).filter((each) => !state.arrived.includes(each));
  told.before(state.arrived.reduce((sum, each) => sum + size(each), 0));
  const one = async () => {
    for (let number = left.shift(); number; number = left.shift()) {
      const from = (number - 1) * state.part_size;
      await again(async () => {
        const { parts: [part] } = await ask(at("parts", id), { numbers: [number] }); // fresh: the last may have expired
        await put("PUT", part.url, file.slice(from, from + part.size), (bytes) => told.part(number, bytes));
      });
      told.part(number, size(number));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function resumed(file) { // the asset an earlier visit began for this very file
  const id = localStorage.getItem(memory(file));
  if (!id) return null;
  try {
    await ask(at("parts", id), { numbers: [] });
    return id;
  } catch (problem) {
    if (!(problem.status >= 400 && problem.status < 500)) throw problem;
    localStorage.removeItem(memory(file));
    return null;
  }
}

async function send(file) {
  const told = progress(file.size), digest = checksum(file);
  digest.catch(() => {}); // it is awaited below
  let id = await resumed(file);
  if (id) {
    await sendParts(file, id, told);
  } else {
    const fields = Object.fromEntries([...new FormData(form)].filter(([name, value]) => value && ["kind", "language", "alt_text", "film_id", "track"].includes(name)));
    if (fields.kind !== "subtitle" || !fields.film_id) ["film_id", "track"].forEach((name) => delete fields[name]);
    const { asset, upload } = await again(() => ask(form.action, { ...fields, filename: file.name, size: file.size,
      content_type: TYPES[file.name.split(".").pop().toLowerCase()] || file.type || "application/octet-stream" }), away);
    id = asset.id;
    if (upload.method === "POST") {
      await again(() => {
        const body = new FormData();
        Object.entries(upload.fields).forEach(([name, value]) => body.append(name, value));
        body.append("file", file, "file");
        return put("POST", upload.url, body, (bytes) => told.part(1, Math.min(bytes, file.size)));
      });
    } else {
      localStorage.setItem(memory(file), id);
      await sendParts(file, id, told);
    }
  }
  told.say("Sent. It is being checked …");
  const sha256 = await digest;
  await again(() => ask(at("completion", id), { sha256 }));
  localStorage.removeItem(memory(file));
  for (let state = "checking"; state === "checking"; await wait(700)) ({ state } = await again(() => ask(at("state", id))));
  location.reload();
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button"), [file] = form.elements.file.files;
  if (!file) return;
  button.disabled = true;
  try {
    await send(file);
  } catch (problem) {
    form.querySelector(".sending").hidden = false;
    form.querySelector(".sending [role=status]").textContent = `Not sent: ${problem.message}`;
  } finally {
    button.disabled = false;
  }
});
