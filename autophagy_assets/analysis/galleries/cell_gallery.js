(async () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const ids = data.cells.scportrait_cell_id;
  const total = ids.length;
  const ON_A_PAGE = 60;
  const METADATA = ["genotype", "stimulation", "clone", "fov"];

  let shown = []; // places of cells that fit, in their order
  let first = 0; // of those, the first one on the page
  let at = 0; // of those, the one that has the focus
  let outlined = false;
  let drawing = 0; // which drawing of the page is the latest

  const label = (column, i) => data.labels[column][data.cells[column][i]];
  const score = (model, i) => data.scores[model].score[i];
  const outcome = (model, i) => data.outcomes[data.scores[model].outcome[i]] ?? "";
  const inWords = (value) => (value === null ? "none" : String(value));
  const scoreWords = (value) => (value === null ? "no score" : value.toFixed(3));
  const plain = (name) => name.replace(/^marker_/, "").replace(/_contrast$/, "").replaceAll("_", " ");

  function element(tag, words = "", kind = "") {
    const made = document.createElement(tag);
    made.textContent = words;
    if (kind) made.className = kind;
    return made;
  }

  function outcomeTag(words) {
    if (!words) return "";
    const kind = { T: "right", F: "wrong" }[words.length === 2 ? words[0] : ""] ?? "neither";
    return element("span", words, `outcome ${kind}`);
  }

  // Sheets are decoded when a cell of theirs is looked at.
  const loaded = new Map();
  function sheet(i, what) {
    const number = Math.floor(i / data.perSheet);
    const key = `${number} ${what}`;
    if (!loaded.has(key)) {
      const made = data.sheets[number];
      loaded.set(key, loadSheet(what === "outlines" ? made.outlines : made.channels[what]));
    }
    return loaded.get(key).then((image) => [image, i % data.perSheet, data.sheets[number]]);
  }

  // What cells can be sorted by.
  const orders = [
    { words: "field of view", value: null },
    ...data.models.map((name, m) => ({ words: `score, ${name}`, value: (i) => score(m, i), model: m })),
    ...data.features.map((one) => ({
      words: plain(one.name) + (one.unit ? ` (${one.unit})` : ""),
      value: (i) => one.values[i],
      name: plain(one.name),
    })),
  ];

  function fill(select, words, all) {
    if (all) select.append(new Option("all", ""));
    words.forEach((text, i) => select.append(new Option(text, i)));
  }

  function fieldWords(number) {
    const i = data.field.indexOf(number);
    return METADATA.map((column) => label(column, i)).join(", ");
  }

  for (const column of ["genotype", "stimulation", "clone"]) fill(byId(column), data.labels[column], true);
  fill(byId("field"), data.fields.map((_, number) => fieldWords(number)), true);
  fill(byId("model"), data.models, false);
  fill(byId("sort"), orders.map((one) => one.words), false);
  if (!data.models.length) for (const id of ["model", "outcome", "from", "to"]) byId(id).disabled = true;

  const chosen = (id) => (byId(id).value === "" ? null : Number(byId(id).value));
  const model = () => chosen("model");
  const order = () => orders[chosen("sort")];

  function fits(i) {
    for (const column of ["genotype", "stimulation", "clone"]) {
      const wanted = chosen(column);
      if (wanted !== null && data.cells[column][i] !== wanted) return false;
    }
    if (chosen("field") !== null && data.field[i] !== chosen("field")) return false;
    if (model() === null) return true;
    if (chosen("outcome") !== null && data.scores[model()].outcome[i] !== chosen("outcome")) return false;
    const [low, high] = [chosen("from") ?? 0, chosen("to") ?? 1];
    if (low <= 0 && high >= 1) return true;
    const own = score(model(), i);
    return own !== null && own >= low && own <= high;
  }

  function choose() {
    shown = [...ids.keys()].filter(fits);
    const { value } = order();
    byId("down").disabled = !value;
    if (value) {
      const sign = byId("down").checked ? -1 : 1;
      // Cells without a value come last, and equal ones stay in their order.
      shown.sort((a, b) => {
        const [one, other] = [value(a), value(b)];
        if (one === null || other === null) return (one === null) - (other === null);
        return sign * (one - other);
      });
    }
    at = 0;
    return turnTo(0);
  }

  function turnTo(place) {
    first = Math.floor(place / ON_A_PAGE) * ON_A_PAGE;
    return draw();
  }

  function tile(place) {
    const i = shown[place];
    const made = element("button", "", "tile");
    made.type = "button";
    made.dataset.cell = i;
    made.tabIndex = place === at ? 0 : -1;
    const canvas = document.createElement("canvas");
    const line = element("span", "", "score");
    if (model() !== null) {
      line.append(`${scoreWords(score(model(), i))} `, outcomeTag(outcome(model(), i)));
    }
    const treated = element("span", `${label("genotype", i)}, ${label("stimulation", i)}`);
    // Of a long name of a clone the end tells which one it is.
    const clone = element("span", "", "soft end");
    clone.append(element("bdi", `${label("clone", i)}, ${label("fov", i)}`));
    made.title = `${treated.textContent}, ${clone.textContent}, cell ${ids[i]}`;
    made.append(canvas, line, treated, clone);
    const { value, name } = order();
    if (name) made.append(element("span", `${name} ${inWords(value(i))}`, "value"));
    return made;
  }

  async function draw() {
    const mine = ++drawing;
    const end = Math.min(first + ON_A_PAGE, shown.length);
    const places = [...Array(end - first).keys()].map((step) => first + step);
    byId("grid").replaceChildren(...places.map(tile));
    const all = total.toLocaleString("en");
    byId("status").textContent = shown.length
      ? `Cells ${first + 1} to ${end} of ${shown.length.toLocaleString("en")} that fit, of ${all}`
      : `None of ${all} cells fits`;
    byId("earlier").disabled = first === 0;
    byId("later").disabled = end === shown.length;
    const light = `brightness(${byId("brightness").value})`;
    await Promise.all([...byId("grid").children].map(async (one) => {
      const canvas = one.querySelector("canvas");
      canvas.style.filter = light;
      const found = await sheet(Number(one.dataset.cell), data.marker);
      if (mine === drawing) drawCrop(canvas, ...found);
    }));
    if (mine === drawing) byId("grid").dataset.drawn = mine;
  }

  function focusOn(place) {
    if (!shown.length) return;
    at = Math.max(0, Math.min(place, shown.length - 1));
    if (at < first || at >= first + ON_A_PAGE) turnTo(at);
    const tiles = [...byId("grid").children];
    tiles.forEach((one, step) => { one.tabIndex = first + step === at ? 0 : -1; });
    tiles[at - first].focus();
  }

  function inARow() {
    const tiles = [...byId("grid").children];
    const next = tiles.findIndex((one) => one.offsetTop > tiles[0].offsetTop);
    return next < 0 ? tiles.length : next;
  }

  // One cell.

  const figures = data.names.map((name, channel) => {
    const figure = document.createElement("figure");
    const parts = cropStack();
    figure.append(parts.stack, element("figcaption", name));
    byId("channels").append(figure);
    return { channel, ...parts };
  });

  function row(...cells) {
    const made = document.createElement("tr");
    for (const one of cells) {
      const cell = document.createElement("td");
      cell.append(one);
      made.append(cell);
    }
    return made;
  }

  function headed(words, ...lines) {
    const made = row(...lines.slice(0, 1));
    const head = element("th", words);
    head.scope = "row";
    made.prepend(head);
    for (const line of lines.slice(1)) made.lastChild.append(document.createElement("br"), line);
    return made;
  }

  async function drawPlace(i) {
    const field = data.fields[data.field[i]];
    const [x, y, canvas] = [data.x[i], data.y[i], byId("overview")];
    const words = fieldWords(data.field[i]);
    byId("place-words").textContent = x === null
      ? `${words}. The cell's place in it is not known here.`
      : `${words}: the cell at row ${y}, column ${x} of ${field.height} x ${field.width} px.`;
    canvas.hidden = x === null;
    if (x === null) return;
    canvas.width = 640;
    canvas.height = Math.round((640 * field.height) / field.width);
    const drawn = canvas.getContext("2d");
    if (field.overview) {
      const image = await loadSheet(field.overview);
      if (shown[at] !== i) return; // another cell has been opened meanwhile
      drawn.drawImage(image, 0, 0, canvas.width, canvas.height);
    }
    for (const [colour, width] of [["#000", 9], ["#fff", 4]]) {
      drawn.strokeStyle = colour;
      drawn.lineWidth = width;
      drawn.beginPath();
      drawn.arc((x / field.width) * canvas.width, (y / field.height) * canvas.height, 26, 0, 2 * Math.PI);
      drawn.stroke();
    }
  }

  async function show() {
    const i = shown[at];
    const field = data.fields[data.field[i]];
    byId("cell-title").textContent =
      `Cell ${ids[i]}: ${fieldWords(data.field[i])} (${at + 1} of ${shown.length})`;
    byId("previous").disabled = at === 0;
    byId("next").disabled = at === shown.length - 1;
    byId("outlines").setAttribute("aria-pressed", String(outlined));
    byId("key").hidden = !outlined;
    byId("scores").replaceChildren(...data.models.map((name, m) =>
      row(name, scoreWords(score(m, i)), outcomeTag(outcome(m, i)))));
    byId("features").replaceChildren(...data.features.map((one) => {
      const made = headed(plain(one.name), `${inWords(one.values[i])} ${one.unit.replace(/^1 /, "")}`);
      made.title = one.meaning;
      return made;
    }));
    const uid = (name) => `${name}, uid ${data.tables[name] ?? "not known"}`;
    const sources = [...new Set(field.scores.filter((name) => name))];
    byId("origin").replaceChildren(
      headed("cell", `dataset ${field.dataset}, scportrait_cell_id ${ids[i]}`),
      headed("crops", `${field.key}, uid ${field.dataset}`),
      ...(field.spatialdata ? [headed("field of view", `SpatialData, uid ${field.spatialdata}`)] : []),
      headed("microscope images", ...(field.images.length ? field.images : ["not known here"])),
      headed("features", uid(field.features)),
      ...(sources.length ? [headed("scores", ...sources.map(uid))] : []),
      headed("more", element("code", `autophagy lineage --cell ${field.dataset}:${ids[i]}`)),
    );
    const place = drawPlace(i);
    await Promise.all(figures.map(async ({ channel, crop, lines }) => {
      lines.hidden = !outlined;
      crop.style.filter = `brightness(${byId("brightness").value})`;
      const [found, edges] = await Promise.all([sheet(i, channel), sheet(i, "outlines")]);
      if (shown[at] !== i) return;
      drawCrop(crop, ...found);
      drawOutlines(lines, ...edges);
    }));
    await place;
    if (shown[at] === i) byId("cell").dataset.cell = i;
  }

  function open(place) {
    at = place;
    if (!byId("cell").open) byId("cell").showModal();
    byId("cell-title").focus();
    show();
  }

  function step(by) {
    if (at + by >= 0 && at + by < shown.length) open(at + by);
  }

  function outline() {
    outlined = !outlined;
    show();
  }

  const sliders = [byId("brightness"), byId("cell-brightness")];

  function brighten(value) {
    for (const one of sliders) one.value = value;
    const light = `brightness(${sliders[0].value})`; // as the slider has rounded and limited it
    for (const { crop } of figures) crop.style.filter = light;
    for (const one of byId("grid").querySelectorAll("canvas")) one.style.filter = light;
  }

  const brighter = (by) => brighten(Number(sliders[0].value) + by);

  const inGrid = {
    ArrowLeft: () => focusOn(at - 1), ArrowRight: () => focusOn(at + 1),
    ArrowUp: () => focusOn(at - inARow()), ArrowDown: () => focusOn(at + inARow()),
    Home: () => focusOn(0), End: () => focusOn(shown.length - 1),
    PageUp: () => focusOn(Math.max(first - ON_A_PAGE, 0)),
    PageDown: () => focusOn(first + ON_A_PAGE < shown.length ? first + ON_A_PAGE : at),
  };
  const inCell = {
    ArrowLeft: () => step(-1), ArrowRight: () => step(1), o: outline,
    "+": () => brighter(0.2), "=": () => brighter(0.2), "-": () => brighter(-0.2),
  };

  function listen(on, keys) {
    on.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      // A slider that has the focus keeps its own keys.
      if (event.target.matches("input") && event.key.startsWith("Arrow")) return;
      const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
  }

  listen(byId("grid"), inGrid);
  listen(byId("cell"), inCell);
  byId("grid").addEventListener("click", (event) => {
    const one = event.target.closest(".tile");
    if (one) open(first + [...byId("grid").children].indexOf(one));
  });
  byId("cell").addEventListener("close", () => focusOn(at));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("change", (event) => {
    if (event.target.id !== "brightness") choose();
  });
  byId("filters").addEventListener("reset", () => setTimeout(() => { // once it is reset
    brighten(sliders[0].value);
    choose();
  }));
  for (const one of sliders) one.addEventListener("input", () => brighten(one.value));
  const buttons = {
    earlier: () => { at = first - ON_A_PAGE; turnTo(at); },
    later: () => { at = first + ON_A_PAGE; turnTo(at); },
    previous: () => step(-1), next: () => step(1), outlines: outline, close: () => byId("cell").close(),
  };
  for (const [id, act] of Object.entries(buttons)) byId(id).addEventListener("click", act);

  await choose();
  document.body.dataset.ready = "true";
})();
