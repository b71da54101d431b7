// A comic reader without a framework: pages, panels, or a strip to scroll. Works from file://.
"use strict";
(() => {
  const root = document.documentElement, body = document.body;
  const byId = (id) => document.getElementById(id);
  const stage = byId("stage"), slider = byId("slider");
  const rtl = root.dataset.direction === "rtl";
  const WHOLE = root.dataset.direction === "webtoon" ? "strip" : "page";

  const pages = [...stage.querySelectorAll(".page")].map((element) => ({
    element,
    sheet: element.querySelector(".sheet"),
    width: Number(element.dataset.width),
    height: Number(element.dataset.height),
    panels: [...element.querySelectorAll(".panel")].map((panel) => {
      const [x0, y0, x1, y1] = panel.dataset.box.split(",").map(Number);
      return { element: panel, x0, y0, x1, y1 };
    }),
  }));
  // Where the reader is: a page, and a panel of it while reading panel by panel.
  const at = { page: 0, panel: 0, guided: false };

  // --- drawing -----------------------------------------------------------------------------

  function room() {
    const bars = body.classList.contains("immersed") ? 0 : 48;
    const edge = bars + 10, side = Math.min(24, stage.clientWidth * 0.02);
    return { x: side, y: edge, width: stage.clientWidth - 2 * side, height: stage.clientHeight - 2 * edge };
  }

  // Puts a part of the sheet (its own pixels) into the middle of the room.
  function show(page, part) {
    const space = room();
    const width = part.x1 - part.x0, height = part.y1 - part.y0;
    const scale = Math.min(space.width / width, space.height / height, 3);
    const x = space.x + (space.width - width * scale) / 2 - part.x0 * scale;
    const y = space.y + (space.height - height * scale) / 2 - part.y0 * scale;
    page.sheet.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    // Half of a frame's line lies outside its panel; the cut runs just within the line.
    const line = Math.max(2, Math.round(page.width * 0.0032)), out = Math.max(0, Math.floor(line / 2) - 1.25);
    const cut = [part.y0 - out, page.width - part.x1 - out - 1, page.height - part.y1 - out - 1, part.x0 - out];
    page.sheet.style.clipPath = at.guided
      ? `inset(${cut.map((side) => `${side}px`).join(" ")})`
      : "inset(-200px)"; // not cut, and the shadow shows
  }

  function showStrip() {
    for (const page of pages) {
      const width = Math.min(stage.clientWidth, 800, page.width), scale = width / page.width;
      page.element.hidden = false;
      page.element.style.width = `${width}px`;
      page.element.style.height = `${page.height * scale}px`;
      page.sheet.style.transform = `scale(${scale})`;
      page.sheet.style.clipPath = "none";
    }
  }

  function draw({ fresh = false } = {}) {
    const view = at.guided ? "guided" : WHOLE;
    body.dataset.view = view;
    const page = pages[at.page];
    if (view === "strip") {
      showStrip();
    } else {
      pages.forEach((other) => {
        other.element.hidden = other !== page;
        other.element.style.width = other.element.style.height = "";
      });
      page.element.classList.toggle("still", fresh);
      if (fresh) restart(page.element, "arrives");
      show(page, at.guided ? page.panels[at.panel] : { x0: 0, y0: 0, x1: page.width, y1: page.height });
      [at.page + 1, at.page - 1].forEach(fetchAhead);
    }
    mark(page);
    tell(page);
  }

  function restart(element, name) {
    element.classList.remove(name);
    void element.offsetWidth; // lets the animation begin again
    element.classList.add(name);
  }

  function fetchAhead(index) {
    const image = pages[index]?.element.querySelector("img");
    if (image) image.loading = "eager";
  }

  function mark(page) {
    for (const other of pages) {
      other.panels.forEach((panel, index) => {
        const current = at.guided && other === page && index === at.panel;
        if (current) panel.element.setAttribute("aria-current", "true");
        else panel.element.removeAttribute("aria-current");
        panel.element.toggleAttribute("inert", at.guided && !current);
      });
    }
  }

  function tell(page) {
    const place = at.page + 1;
    const panel = at.guided ? page.panels[at.panel] : null;
    byId("where").textContent = `${place} / ${pages.length}` + (panel ? ` · panel ${at.panel + 1}` : "");
    byId("spoken").textContent = panel ? describe(panel, place) : page.element.getAttribute("aria-label");
    byId("guided").setAttribute("aria-pressed", String(at.guided));
    byId("previous").disabled = !near(-1);
    byId("next").disabled = !near(1);
    slider.value = String(place);
    slider.setAttribute("aria-valuetext", `Page ${place} of ${pages.length}`);
    const name = at.guided ? `#${place}.${at.panel + 1}` : `#${place}`;
    if (location.hash !== name) history.replaceState(null, "", name);
  }

  function describe(panel, place) {
    const scene = panel.element.querySelector(".scene").getAttribute("aria-label");
    const words = [...panel.element.querySelectorAll(".balloon:not([hidden])")].map((p) => p.textContent.trim());
    return [`Page ${place}, panel ${at.panel + 1}.`, scene, ...words].join(" ");
  }

  // --- moving ------------------------------------------------------------------------------

  // The place one step on (1) or back (-1), or null at the ends.
  function near(step) {
    if (at.guided) {
      const panel = at.panel + step;
      if (pages[at.page].panels[panel]) return { page: at.page, panel };
      for (let page = at.page + step; pages[page]; page += step) {
        const count = pages[page].panels.length;
        if (count) return { page, panel: step > 0 ? 0 : count - 1 };
      }
      return null;
    }
    return pages[at.page + step] ? { page: at.page + step, panel: 0 } : null;
  }

  function move(step) {
    if (body.dataset.view === "strip") {
      stage.scrollBy({ top: step * stage.clientHeight * 0.8, behavior: "smooth" });
      return;
    }
    const place = near(step);
    if (place) go(place.page, place.panel);
  }

  function go(page, panel = 0) {
    const index = Math.max(0, Math.min(pages.length - 1, page));
    const fresh = index !== at.page;
    at.page = index;
    at.panel = Math.max(0, Math.min(pages[index].panels.length - 1, panel));
    draw({ fresh });
    if (body.dataset.view === "strip") stage.scrollTo({ top: pages[index].element.offsetTop - 48 });
  }

  function guide(on) {
    if (on === at.guided || (on && !pages[at.page].panels.length)) return;
    const from = body.dataset.view;
    at.guided = on;
    at.panel = 0;
    if (from === "strip") stage.scrollTo({ top: 0 });
    draw({ fresh: from === "strip" });
    if (!on && WHOLE === "strip") go(at.page);
  }

  function immerse(on = !body.classList.contains("immersed")) {
    body.classList.toggle("immersed", on);
    if (body.dataset.view !== "strip") draw();
  }

  function enlarge() {
    if (document.fullscreenElement) document.exitFullscreen();
    else root.requestFullscreen?.().catch(() => {}); // refused: the page stays as it is
  }

  function changeTheme() {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  }

  // --- languages ----------------------------------------------------------------------------

  const tongues = byId("language");

  // Shows the words of one language; a page that lacks it keeps its first.
  function speak(language) {
    for (const page of pages) {
      const image = page.element.querySelector("img");
      image.dataset.first ??= image.getAttribute("src");
      const other = image.getAttribute(`data-src-${language}`);
      image.src = other ?? image.dataset.first;
      const shown = other ? language : root.lang;
      page.element.querySelectorAll(".balloon").forEach((balloon) => {
        balloon.hidden = balloon.lang !== shown;
      });
    }
    tongues.value = language;
    tell(pages[at.page]);
  }

  function nextLanguage() {
    if (!tongues) return;
    const known = [...tongues.options].map((option) => option.value);
    speak(known[(known.indexOf(tongues.value) + 1) % known.length]);
  }

  if (tongues) {
    for (const option of tongues.options) {
      // Each language in its own words, which its readers know best.
      option.textContent = new Intl.DisplayNames([option.value], { type: "language" }).of(option.value);
    }
    tongues.addEventListener("change", () => speak(tongues.value));
  }

  // --- keys, pointers, places ---------------------------------------------------------------

  const keys = {
    ArrowRight: () => move(rtl ? -1 : 1),
    ArrowLeft: () => move(rtl ? 1 : -1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    PageDown: () => move(1),
    PageUp: () => move(-1),
    Home: () => go(0),
    End: () => go(pages.length - 1, Infinity),
    g: () => guide(!at.guided),
    f: enlarge,
    d: changeTheme,
    l: nextLanguage,
    "?": () => byId("help").showModal(),
    Escape: () => guide(false),
  };

  addEventListener("keydown", (event) => {
    if (event.target === tongues && event.key !== "Escape") return;
    if (event.ctrlKey || event.altKey || event.metaKey || byId("help").open) return;
    const target = event.target;
    if (event.key === " ") {
      if (target.closest?.("button")) return; // Space presses the button
      event.preventDefault();
      move(event.shiftKey ? -1 : 1);
      return;
    }
    if (target === slider && /^(Arrow|Page|Home|End)/.test(event.key)) return;
    if (body.dataset.view === "strip" && /^(Arrow(Up|Down)|Page)/.test(event.key)) return;
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  let down = null;
  stage.addEventListener("pointerdown", (event) => {
    down = event.isPrimary ? { x: event.clientX, y: event.clientY, touch: event.pointerType === "touch" } : null;
  });
  stage.addEventListener("pointercancel", () => { down = null; });
  stage.addEventListener("pointerup", (event) => {
    if (!down || event.button !== 0) return;
    const dx = event.clientX - down.x, dy = event.clientY - down.y, touch = down.touch;
    down = null;
    if (Math.hypot(dx, dy) < 10) tap(event);
    else if (touch && body.dataset.view !== "strip" && Math.abs(dx) > 40 && Math.abs(dx) > 1.3 * Math.abs(dy)) {
      move((dx < 0) !== rtl ? 1 : -1);
    }
  });

  function tap(event) {
    if (String(getSelection())) return;
    const side = event.clientX / stage.clientWidth;
    if (body.dataset.view === "strip" || (side > 0.28 && side < 0.72)) immerse();
    else move((side >= 0.72) !== rtl ? 1 : -1);
  }

  let asked = 0;
  stage.addEventListener("scroll", () => {
    if (body.dataset.view !== "strip") return;
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => {
      const middle = stage.scrollTop + stage.clientHeight / 2;
      const index = pages.findIndex((page) => page.element.offsetTop + page.element.offsetHeight > middle);
      at.page = index < 0 ? pages.length - 1 : index;
      tell(pages[at.page]);
    });
  });

  byId("previous").addEventListener("click", () => move(-1));
  byId("next").addEventListener("click", () => move(1));
  byId("guided").addEventListener("click", () => guide(!at.guided));
  byId("theme").addEventListener("click", changeTheme);
  byId("keys").addEventListener("click", () => byId("help").showModal());
  byId("fullscreen").addEventListener("click", enlarge);
  byId("fullscreen").hidden = !document.fullscreenEnabled;
  slider.addEventListener("input", () => go(Number(slider.value) - 1));
  document.addEventListener("fullscreenchange", () => immerse(Boolean(document.fullscreenElement)));
  addEventListener("resize", () => draw());
  addEventListener("hashchange", arrive);

  // The address names the place: #3 is a page, #3.2 a panel of it.
  function arrive() {
    const place = /^#(\d+)(?:\.(\d+))?$/.exec(location.hash);
    if (!place) return;
    at.guided = Boolean(place[2]) && Boolean(pages[Number(place[1]) - 1]?.panels.length);
    go(Number(place[1]) - 1, place[2] ? Number(place[2]) - 1 : 0);
  }

  draw({ fresh: true });
  arrive();
  stage.focus({ preventScroll: true });
})();
