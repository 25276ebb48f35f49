
// The list of findings: which are shown, in what order, and what a row unfolds to.

const collator = new Intl.Collator("en", { numeric: true });
const COLUMNS = {
  mode: (finding) => MODES.indexOf(finding.mode),
  rule: (finding) => finding.rule,
  namespace: (finding) => finding.namespace,
  object: (finding) => `${finding.kind}/${finding.name}`,
  pods: (finding) => -finding.pods,
  finding: (finding) => finding.message,
};
const findings = report.findings.map((finding) => ({
  ...finding,
  words: ["rule", "mode", "namespace", "kind", "name", "container", "message"]
    .map((field) => finding[field] ?? "").join("\n").toLowerCase(),
}));
let shown = findings;
let order = { column: null, sign: 1 };

/** One property to choose findings by. */
class Facet {
  constructor(field) {
    this.field = field;
    this.chosen = new Set();
    this.bars = new Map();
    this.choices = make("div", {});
    this.title = make("summary", {});
    this.node = make("details", { className: "facet" }, this.title, this.choices);
    this.node.addEventListener("toggle", () => this.write());
    by("facets").append(this.node);
  }

  lets(finding) {
    return this.chosen.size === 0 || this.chosen.has(finding[this.field]);
  }

  toggle(value) {
    if (!this.chosen.delete(value)) this.chosen.add(value);
    choose();
  }

  /** What there is to choose, with what each would show beside the other filters. */
  write() {
    this.title.textContent = this.chosen.size === 0 ? this.field : `${this.field} (${this.chosen.size})`;
    this.node.classList.toggle("on", this.chosen.size > 0);
    this.bars.forEach((node, value) => node.setAttribute("aria-pressed", this.chosen.has(value)));
    if (!this.node.open) return;
    const counts = new Map(findings.map((finding) => [finding[this.field], 0]));
    findings.filter((finding) => matches(finding, this))
      .forEach((finding) => counts.set(finding[this.field], counts.get(finding[this.field]) + 1));
    const focused = this.choices.contains(document.activeElement) ? document.activeElement.value : null;
    const values = [...counts].sort(([one], [other]) => collator.compare(one, other));
    this.choices.replaceChildren(...values.map(([value, count]) => {
      const box = make("input", { type: "checkbox", checked: this.chosen.has(value), value });
      box.addEventListener("change", () => this.toggle(value));
      return make("label", { className: count === 0 ? "none" : "" }, box, ` ${value} (${count})`);
    }));
    [...this.choices.querySelectorAll("input")].find((box) => box.value === focused)?.focus();
  }
}

const facets = ["rule", "mode", "namespace", "kind"].map((field) => new Facet(field));
let words = [];

function matches(finding, except) {
  return words.every((word) => finding.words.includes(word))
    && facets.every((facet) => facet === except || facet.lets(finding));
}

/** Applies filters and order. */
function choose() {
  words = by("text").value.toLowerCase().split(/\s+/).filter(Boolean);
  shown = findings.filter((finding) => matches(finding));
  const key = COLUMNS[order.column];
  if (key) {
    const keyed = shown.map((finding) => [key(finding), finding]);
    const compare = ([one], [other]) => (typeof one === "number" ? one - other : collator.compare(one, other));
    shown = keyed.sort((one, other) => order.sign * compare(one, other)).map(([, finding]) => finding);
  }
  facets.forEach((facet) => facet.write());
  by("count").textContent = shown.length === findings.length ? counted(shown.length, "finding")
    : `${shown.length.toLocaleString("en")} of ${counted(findings.length, "finding")}`;
  by("printed").textContent = shown.length <= MOST_PRINTED ? ""
    : `On paper are the first ${MOST_PRINTED.toLocaleString("en")} of ${counted(shown.length, "finding")}; `
      + `${(shown.length - MOST_PRINTED).toLocaleString("en")} are left out. Filter to print others.`;
  by("nothing").hidden = shown.length > 0;
  [...by("columns").children].forEach((button) => {
    const mark = button.dataset.column !== order.column ? "" : order.sign > 0 ? " \u25b4" : " \u25be";
    button.textContent = button.dataset.column + mark;
    button.setAttribute("aria-pressed", mark !== "");
  });
  rows.forEach((row) => row.node.remove());
  rows.clear();
  current = 0;
  place();
}

// ---- the list: only rows that are seen are in the document

const MOST_PRINTED = 5000; // of more a browser makes pages for minutes, and nobody reads them
const list = by("list");
const rows = new Map(); // by place in the list
const unfolded = new Map(); // finding -> how much higher than one line it is
let current = 0; // the row that Tab leads to
let height = 34;
let extras = []; // [place, extra] of unfolded rows, in order
let isPrinting = false;

/** Where the row at `index` begins. */
function begin(index) {
  return extras.reduce((sum, [at, extra]) => (at < index ? sum + extra : sum), index * height);
}

/** The row at this distance from the top of the list. */
function rowAt(distance) {
  let [low, high] = [0, Math.max(0, shown.length - 1)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (begin(middle) <= distance) low = middle; else high = middle - 1;
  }
  return low;
}

/** Says anew where rows are, after heights or the choice changed. */
function place() {
  extras = [];
  if (unfolded.size > 0) {
    shown.forEach((finding, at) => { if (unfolded.has(finding)) extras.push([at, unfolded.get(finding)]); });
  }
  list.style.height = `${begin(shown.length)}px`;
  rows.forEach((row, index) => { row.node.style.top = `${begin(index)}px`; });
  render();
}

/** Makes the rows that are seen, with some before and behind, and removes the others except one with the focus. */
function render() {
  const seen = -list.getBoundingClientRect().top;
  const first = isPrinting ? 0 : rowAt(seen - innerHeight / 2);
  const last = isPrinting ? Math.min(shown.length, MOST_PRINTED) - 1 : rowAt(seen + 1.5 * innerHeight);
  rows.forEach((row, index) => {
    if ((index < first || index > last) && !row.node.contains(document.activeElement)) {
      row.node.remove();
      rows.delete(index);
    }
  });
  // in order, so that Tab and screen readers go on as the eye does
  let before = [...rows].find(([index]) => index < first)?.[1].node;
  for (let index = first; index <= last && index < shown.length; index += 1) {
    const row = rows.get(index) ?? makeRow(index);
    if (!row.node.isConnected) {
      if (before) before.after(row.node); else list.prepend(row.node);
    }
    before = row.node;
  }
  measure();
}

function makeRow(index) {
  const finding = shown[index];
  const cells = [make("span", { className: finding.mode }, finding.mode),
    ...[finding.rule, finding.namespace, `${finding.kind}/${finding.name}`, finding.pods, finding.message]
      .map((text) => make("span", {}, text))];
  const button = make("button", { type: "button", tabIndex: index === current ? 0 : -1 }, ...cells);
  const node = make("div", { className: "row" }, button);
  node.setAttribute("role", "listitem");
  node.setAttribute("aria-posinset", index + 1);
  node.setAttribute("aria-setsize", shown.length);
  node.style.top = `${begin(index)}px`;
  button.addEventListener("click", () => unfold(index));
  button.addEventListener("focus", () => settle(index));
  const row = { node, button };
  if (unfolded.has(finding)) node.append(details(finding));
  node.classList.toggle("open", unfolded.has(finding));
  button.setAttribute("aria-expanded", unfolded.has(finding));
  rows.set(index, row);
  return row;
}

/** Rows are as high as the style says; unfolded ones as their text needs in this window. */
function measure() {
  if (isPrinting) return;
  let changed = false;
  rows.forEach(({ node, button }, index) => {
    const one = button.offsetHeight + 1;
    if (one !== height) { height = one; changed = true; }
    if (unfolded.has(shown[index])) {
      const extra = node.offsetHeight - height;
      if (extra !== unfolded.get(shown[index])) { unfolded.set(shown[index], extra); changed = true; }
    }
  });
  if (changed) place();
}

function unfold(index) {
  const finding = shown[index];
  const { node, button } = rows.get(index);
  if (unfolded.delete(finding)) {
    node.querySelector("dl").remove();
  } else {
    unfolded.set(finding, 0);
    node.append(details(finding));
  }
  node.classList.toggle("open", unfolded.has(finding));
  button.setAttribute("aria-expanded", unfolded.has(finding));
  place();
}

/** The row at `index` is the one that Tab leads to. */
function settle(index) {
  const before = rows.get(current);
  if (before) before.button.tabIndex = -1;
  current = index;
  rows.get(index).button.tabIndex = 0;
}

function move(index) {
  if (shown.length === 0) return;
  const to = Math.min(Math.max(index, 0), shown.length - 1);
  const above = by("columns").offsetHeight;
  const start = list.getBoundingClientRect().top + begin(to);
  if (start < above) scrollBy(0, start - above);
  if (start + height > innerHeight) scrollBy(0, start + height - innerHeight);
  render();
  rows.get(to).button.focus({ preventScroll: true });
}

// ---- what a row unfolds to

/** A word of a shell command that is taken as it is. */
function quoted(word) {
  return /^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function commands(finding) {
  const told = (finding.remedy ?? "").split("`")
    .filter((part, at) => at % 2 === 1 && /^(kubectl|restraint|helm) /.test(part));
  const object = quoted(`${finding.kind.toLowerCase()}/${finding.name}`);
  return [...told, `kubectl get ${object} -n ${quoted(finding.namespace)} -o yaml`,
    `restraint explain rule ${quoted(finding.rule)}`];
}

function details(finding) {
  const parts = make("dl", {});
  const part = (name, ...content) => parts.append(make("dt", {}, name), make("dd", {}, ...content));
  part("finding", finding.message);
  if (finding.remedy) part("remedy", finding.remedy, copyButton(finding.remedy));
  part("where", make("code", {}, finding.pointer || "/"),
    finding.container == null ? "" : `, container ${finding.container}`);
  commands(finding).forEach((command, at) => part(at === 0 ? "command" : "",
    make("code", {}, command), copyButton(command)));
  return parts;
}

function copyButton(text) {
  const button = make("button", { type: "button" }, "copy");
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(plain(text));
      button.textContent = "copied";
    } catch {
      // no right to the clipboard: what is to be copied is selected, for the keyboard
      const range = document.createRange();
      range.selectNode(button.previousSibling);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "press Ctrl-C";
    }
  });
  return button;
}

// ---- keys, theme, printing

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  by("theme").textContent = `theme: ${theme === "auto" ? "as the system" : theme}`;
}

function listen() {
  Object.keys(COLUMNS).forEach((column) => {
    const button = make("button", { type: "button" }, column);
    button.dataset.column = column;
    button.addEventListener("click", () => {
      order = { column, sign: order.column === column ? -order.sign : 1 };
      choose();
    });
    by("columns").append(button);
  });
  by("text").addEventListener("input", choose);
  by("filters").addEventListener("submit", (event) => event.preventDefault());
  by("filters").addEventListener("reset", () => {
    facets.forEach((facet) => facet.chosen.clear());
    setTimeout(choose); // after the fields are empty
  });
  by("theme").addEventListener("click", () => {
    const themes = ["auto", "light", "dark"];
    setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length]);
  });
  list.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(innerHeight / height) - 2);
    const to = { ArrowDown: current + 1, ArrowUp: current - 1, PageDown: current + page, PageUp: current - page,
      Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target.tagName !== "INPUT") { event.preventDefault(); by("text").focus(); }
    if (event.key === "Escape") closeFacets(null);
  });
  document.addEventListener("click", (event) => closeFacets(event.target));
  let isWaiting = false;
  const later = () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => { isWaiting = false; render(); });
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);
  addEventListener("beforeprint", () => { isPrinting = true; render(); });
  addEventListener("afterprint", () => { isPrinting = false; render(); });
}

/** Closes the choices of facets, except where `target` is in them. */
function closeFacets(target) {
  facets.filter((facet) => facet.node.open && !facet.node.contains(target)).forEach((facet) => {
    if (facet.node.contains(document.activeElement)) facet.title.focus();
    facet.node.open = false;
  });
}

setTheme("auto");
writeHead();
const rule = facets[0];
const namespace = facets[2];
writeBars(rule, "By rule", report.totals.byRule.map((row) => [row.rule, [[row.mode, row.findings]]]));
writeBars(namespace, "By namespace", report.totals.byNamespace
  .map((row) => [row.namespace, MODES.map((mode) => [mode, row[mode]])]));
writeTables();
listen();
choose();
