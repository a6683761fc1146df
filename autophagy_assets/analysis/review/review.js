(async () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const place = `autophagy-review-${data.page}`;
  const total = data.cells.length;
  const channels = [data.marker, ...data.names.keys()].filter((c, i, all) => all.indexOf(c) === i);

  // answers: index of a cell to [answer, seconds, time]; history: what undo takes back, last first.
  let state = { answers: {}, history: [], at: 0, brightness: 1 };
  let several = false;
  let shownSince = performance.now();
  let saved = true;

  const storage = (() => {
    try {
      const kept = window.localStorage;
      kept.setItem(`${place}-test`, "1");
      kept.removeItem(`${place}-test`);
      return kept;
    } catch {
      return null;
    }
  })();

  function keep() {
    if (!storage) return;
    try {
      storage.setItem(place, JSON.stringify(state));
    } catch {
      byId("not-kept").hidden = false;
    }
  }

  function remember() {
    byId("not-kept").hidden = storage !== null;
    try {
      const kept = storage && JSON.parse(storage.getItem(place));
      if (kept && kept.answers && Array.isArray(kept.history)) state = { ...state, ...kept };
    } catch {
      // What is kept cannot be read, so there are no answers yet.
    }
    if (!(state.at >= 0 && state.at < total)) state.at = 0;
  }

  const sheets = await Promise.all(data.sheets.map(loadSheet));
  const outlines = await loadSheet(data.outlines);

  const figures = channels.map((channel) => {
    const figure = document.createElement("figure");
    const { stack, crop, lines } = cropStack();
    const caption = document.createElement("figcaption");
    caption.textContent = data.names[channel];
    figure.append(stack, caption);
    byId("images").append(figure);
    return { channel, figure, crop, lines, caption };
  });

  function show() {
    const index = state.at;
    const answered = Object.keys(state.answers).length;
    const own = state.answers[index];
    for (const { channel, figure, crop, lines, caption } of figures) {
      const visible = several || channel === data.marker;
      figure.hidden = !visible;
      lines.hidden = !several;
      caption.hidden = !several;
      if (!visible) continue;
      crop.style.filter = `brightness(${state.brightness})`;
      drawCrop(crop, sheets[channel], index, data);
      if (several) drawOutlines(lines, outlines, index, data);
    }
    byId("images").className = several ? "images several" : "images";
    byId("key").innerHTML = several
      ? 'Outlines: <span class="swatch" style="border-color:var(--cell)"></span> cell, ' +
        '<span class="swatch" style="border-color:var(--nucleus)"></span> nucleus.'
      : "";
    byId("channels").setAttribute("aria-pressed", String(several));
    const words = own ? `answered: ${data.answers[own[0]]}` : "not answered yet";
    byId("where").textContent = `Cell ${index + 1} of ${total}, ${words}`;
    byId("said").textContent = data.said ? data.said[index] : "";
    byId("progress").value = answered;
    byId("progress-words").textContent = `${answered} of ${total} answered`;
    byId("brightness").value = state.brightness;
    byId("undo").disabled = state.history.length === 0;
    for (const button of document.querySelectorAll("[data-answer]")) {
      const mine = own !== undefined && Number(button.dataset.answer) === own[0];
      button.setAttribute("aria-pressed", String(mine));
    }
  }

  function tell(words) {
    byId("status").textContent = words;
  }

  function go(index) {
    if (index < 0 || index >= total) return;
    state.at = index;
    shownSince = performance.now();
    keep();
    show();
  }

  function nextOpen(from) {
    for (let step = 1; step <= total; step++) {
      const index = (from + step) % total;
      if (!(index in state.answers)) return index;
    }
    return -1;
  }

  function answer(number) {
    const index = state.at;
    const seconds = Math.round((performance.now() - shownSince) / 100) / 10;
    state.history.push([index, state.answers[index] ?? null]);
    state.answers[index] = [number, seconds, new Date().toISOString()];
    saved = false;
    const open = nextOpen(index);
    if (open < 0) {
      go(index);
      tell("All cells are answered. Save your answers.");
      byId("save").focus();
    } else {
      go(open);
      tell(`Cell ${index + 1}: ${data.answers[number]}.`);
      byId("viewer").focus();
    }
  }

  function undo() {
    const last = state.history.pop();
    if (!last) return;
    const [index, before] = last;
    if (before) state.answers[index] = before;
    else delete state.answers[index];
    saved = false;
    go(index);
    tell(`The answer for cell ${index + 1} was taken back.`);
    byId("viewer").focus();
  }

  function field(value) {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function save() {
    const rows = [["page", "study", "dataset", "scportrait_cell_id", "answer", "seconds", "answered_at"]];
    for (let index = 0; index < total; index++) {
      const own = state.answers[index];
      if (!own) continue;
      const [number, seconds, time] = own;
      rows.push([data.page, data.study, ...data.cells[index], data.answers[number], seconds, time]);
    }
    if (rows.length === 1) {
      tell("There is no answer to save yet.");
      return;
    }
    const text = rows.map((row) => row.map(field).join(",")).join("\n") + "\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    link.download = `answers-${data.page}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    saved = true;
    tell(`${rows.length - 1} answers are in ${link.download}.`);
  }

  function forget() {
    if (!window.confirm("Delete all answers on this page? Saved files stay.")) return;
    state = { answers: {}, history: [], at: 0, brightness: state.brightness };
    saved = true;
    byId("help").close();
    go(0);
    tell("All answers were deleted.");
  }

  function brighten(by) {
    const slider = byId("brightness");
    slider.value = Number(slider.value) + by;
    slider.dispatchEvent(new Event("input"));
  }

  function toggle() {
    several = !several;
    show();
  }

  function help() {
    byId("help").showModal();
  }

  const keys = {
    1: () => answer(0), 2: () => answer(1), u: () => answer(2), b: () => answer(3),
    z: undo, Backspace: undo, ArrowLeft: () => go(state.at - 1), ArrowRight: () => go(state.at + 1),
    " ": toggle, "+": () => brighten(0.2), "=": () => brighten(0.2), "-": () => brighten(-0.2),
    s: save, "?": help,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    const on = event.target;
    // What has the focus keeps its own keys.
    if (on.matches("button") && event.key === " ") return;
    if (on.matches("input") && event.key.startsWith("Arrow")) return;
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    if (event.repeat && !event.key.startsWith("Arrow")) return; // a key held down is one answer
    act();
  });
  for (const button of document.querySelectorAll("[data-answer]")) {
    button.addEventListener("click", () => answer(Number(button.dataset.answer)));
  }
  const buttons = {
    previous: () => go(state.at - 1), next: () => go(state.at + 1), undo, channels: toggle, save,
    "show-help": help, "close-help": () => byId("help").close(), forget,
  };
  for (const [id, act] of Object.entries(buttons)) byId(id).addEventListener("click", act);
  byId("brightness").addEventListener("input", (event) => {
    state.brightness = Number(event.target.value);
    keep();
    show();
  });
  window.addEventListener("beforeunload", (event) => {
    if (!saved && (!storage || !byId("not-kept").hidden)) event.preventDefault();
  });

  remember();
  show();
  byId("viewer").focus();
  document.body.dataset.ready = "true";
})();
