/* Plays a film whose address lives a few minutes. Each telling of how far it went is answered with fresh addresses; before
   the present one ends, or where it failed (after sleep), the film goes on from a fresh one at the same second. */
const MOST_TELLING = 15, TELLINGS = 4; // seconds between two of them, and how many an address outlives at least
const TRIES = 5, PATIENCE = 500; // the last in milliseconds, doubled at each try
const SIGNED_OUT = () => "You are signed out. Sign in again, then open this page anew: it goes on where it stopped.";
const FINAL = { 400: SIGNED_OUT, 401: SIGNED_OUT, // 400: the form's token ends with the session
  403: (words) => words,
  404: (_, seller) => `Your leave to watch this has ended, so it stops here. Ask ${seller} for another.`,
  409: (words) => words };

class Refused extends Error {
  constructor(status, words) { super(words); this.status = status; }
}

function attach(box) {
  const video = box.querySelector("video"), screen = box.querySelector(".screen"), whole = box.querySelector(".whole");
  const told = box.querySelector("[role=status]"), starters = box.querySelector(".starters");
  const tracks = [...box.querySelectorAll("track")];
  let play = null, since = 0, lives = 0; // the play's id; when its address was asked for, and how long it lives, in ms
  let second = 0, wanted = false, over = false; // where the film is, whether it is to run, whether it was stopped for good
  let renewing = null, beating = null, tries = 0, failed = 0, loading = false;

  const say = (words) => { told.textContent = words; };

  async function ask(url, body, leaving = false) {
    const answer = await fetch(url, { method: "POST", keepalive: leaving, body: JSON.stringify(body), headers: {
      Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": box.querySelector("[name=csrf_token]").value } });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(answer.status, said.detail ?? `The server answered ${answer.status}.`);
    return said;
  }

  const tell = (leaving) => ask(box.dataset.progress.replace("/0/", `/${play}/`), { seconds: Math.floor(second) }, leaving);
  const interval = () => Math.min(MOST_TELLING * 1000, lives / TELLINGS);

  const note = () => { if (!loading && !over && !video.error && video.readyState) second = video.currentTime; };

  /* ---- the address */

  function load({ url }, asked) { // the film goes on from here as it was: second, rate, subtitles, running or not
    const rate = video.playbackRate, modes = [...video.textTracks].map((each) => each.mode);
    const restore = () => [...video.textTracks].forEach((each, place) => { each.mode = modes[place]; });
    note();
    freeze();
    since = asked;
    loading = true;
    video.src = url;
    video.currentTime = second;
    video.defaultPlaybackRate = video.playbackRate = rate;
    restore();
    video.addEventListener("loadedmetadata", () => { loading = false; restore(); }, { once: true });
    if (wanted) video.play().catch(() => {}); // refused where nobody pressed anything: then the button is pressed again
  }

  function freeze() { // what is seen stays until the next picture is there
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    const picture = document.createElement("canvas");
    picture.width = video.videoWidth;
    picture.height = video.videoHeight;
    picture.getContext("2d").drawImage(video, 0, 0);
    screen.querySelector("canvas")?.remove();
    video.after(picture);
    for (const event of ["canplay", "error"]) video.addEventListener(event, () => picture.remove(), { once: true });
  }

  function beat(now = false) { // say how far it is; go on from a fresh address where this one would not live until the next time
    renewing ??= (async () => {
      const asked = Date.now();
      try {
        const said = await tell();
        if (!over && (now || asked + 2 * interval() - since > lives)) load(said, asked);
      } catch (problem) {
        if (FINAL[problem.status]) stop(problem);
        throw problem; // else the connection: the next time will tell
      } finally {
        renewing = null;
      }
    })();
    return renewing;
  }

  async function recover() { // the film cannot be read: its address ended while the machine slept, or the connection is lost
    if (over || !play) return;
    if (tries === TRIES) {
      say("The film cannot be reached just now. Look at your connection, then open this page anew.");
      return;
    }
    if (tries) await new Promise((done) => { setTimeout(done, PATIENCE * 2 ** tries); addEventListener("online", done, { once: true }); });
    tries += 1;
    failed = second;
    await beat(true).catch(() => { if (!over) recover(); });
  }

  async function begin(url, body) {
    const asked = Date.now(), said = await ask(url, body);
    play = said.id;
    lives = said.lives * 1000;
    for (const track of tracks) {
      track.src = said.tracks[track.dataset.id] ?? "";
      if (track.track.mode === "disabled") track.track.mode = "hidden"; // read now: its address ends too
    }
    video.controls = true;
    video.preload = "auto";
    load(said, asked);
  }

  function stop(problem) {
    over = true;
    clearInterval(beating);
    if (document.fullscreenElement) document.exitFullscreen();
    video.pause();
    video.removeAttribute("src");
    video.load();
    video.controls = false;
    if (starters) starters.hidden = true;
    if (whole) whole.hidden = true;
    say(FINAL[problem.status](problem.message, box.dataset.seller));
  }

  /* ---- beginning, and how far it went */

  const buttons = [...(starters?.querySelectorAll("button") ?? [])];
  for (const starter of buttons) {
    starter.addEventListener("click", async () => {
      buttons.forEach((each) => { each.disabled = true; });
      const before = starter.dataset.goOn;
      wanted = true;
      if (before) second = Number(starter.dataset.seconds);
      try {
        await begin(before ? box.dataset.progress.replace("/0/", `/${before}/`) : box.dataset.begin, before ? { seconds: second } : {});
        starters.hidden = true;
        if (whole) whole.hidden = !document.fullscreenEnabled;
        say("");
        video.focus();
      } catch (problem) {
        buttons.forEach((each) => { each.disabled = false; });
        if (FINAL[problem.status]) stop(problem);
        else say("That did not reach us. Look at your connection, then press it again.");
      }
    });
  }

  video.addEventListener("play", () => {
    wanted = true;
    clearInterval(beating);
    if (!play) {
      begin(box.dataset.begin, {}).catch((problem) => { if (FINAL[problem.status]) stop(problem); });
    } else if (Date.now() - since > lives - interval()) {
      beat(true).catch(() => {});
    }
    beating = setInterval(() => { if (play) beat().catch(() => {}); }, lives ? interval() : MOST_TELLING * 1000);
  });
  video.addEventListener("pause", async () => {
    if (over || (loading && !video.paused)) return; // who pauses while a fresh address is read means it, too
    wanted = false;
    clearInterval(beating);
    note();
    await renewing?.catch(() => {}); // what is under way tells where it was before
    if (play && !over) beat().catch(() => {});
  });
  video.addEventListener("timeupdate", () => {
    note();
    if (tries && Math.abs(second - failed) > 1) tries = 0;
  });
  video.addEventListener("seeking", () => { if (!loading && !over) second = video.currentTime; });
  video.addEventListener("playing", () => say(""));
  video.addEventListener("error", recover);
  const leave = () => { if (play && !over) tell(true).catch(() => {}); };
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") leave();
    else if (play && !over && wanted) beat().catch(() => {}); // awake again
  });

  /* ---- chapters */

  const chapters = box.querySelector(".chapters");
  tracks.find((each) => each.kind === "chapters")?.addEventListener("load", ({ target }) => {
    const clock = (seconds) => [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(
      (each, place) => String(Math.floor(each)).padStart(place ? 2 : 1, "0")).join(":");
    const links = [...target.track.cues].map((cue) => {
      const link = document.createElement("a"), when = document.createElement("span"), called = document.createElement("span");
      link.href = `#t=${cue.startTime}`;
      when.className = "num faint";
      when.textContent = clock(cue.startTime);
      called.textContent = cue.text;
      link.append(when, called);
      link.addEventListener("click", (event) => { event.preventDefault(); video.currentTime = cue.startTime; });
      return link;
    });
    target.track.addEventListener("cuechange", () => {
      const now = [...target.track.cues].indexOf(target.track.activeCues?.[0]);
      links.forEach((each, place) => (place === now ? each.setAttribute("aria-current", "true") : each.removeAttribute("aria-current")));
    });
    chapters.querySelector("ol").replaceChildren(...links.map((link) => {
      const item = document.createElement("li");
      item.append(link);
      return item;
    }));
    chapters.hidden = false;
  });

  /* ---- the mark goes wherever the picture goes: what fills the screen holds both, never the video alone; where a browser
     wants another press for that, the film is back in its page */

  if (whole) {
    const turn = () => (document.fullscreenElement ? document.exitFullscreen() : screen.requestFullscreen());
    whole.addEventListener("click", turn);
    box.addEventListener("keydown", (event) => {
      if (event.key === "f" && !event.ctrlKey && !event.metaKey && !event.altKey && !whole.hidden) turn();
    });
    document.addEventListener("fullscreenchange", () => {
      whole.textContent = document.fullscreenElement ? "Leave full screen" : "Full screen";
      if (document.fullscreenElement === video) document.exitFullscreen().then(() => screen.requestFullscreen()).catch(() => {});
    });
    video.addEventListener("enterpictureinpicture", () => document.exitPictureInPicture());
    video.addEventListener("webkitbeginfullscreen", () => video.webkitExitFullscreen());
  }
}

document.querySelectorAll(".player").forEach(attach);
