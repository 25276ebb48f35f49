
"use strict";
// The page of an audit. Everything in the report that comes from the cluster is hostile: it becomes text of nodes
// (`append`, `textContent`), never markup, and characters that turn or break lines are shown as escapes.

const report = JSON.parse(document.getElementById("report").textContent);
const MODES = ["enforce", "warn", "audit"];
const MOST_BARS = 15;
const MOST_ROWS = 200;
const by = (id) => document.getElementById(id);

/** The text in one line that neither turns the direction of writing nor is more than one command in a shell. */
function plain(value) {
  return String(value ?? "").replace(
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (letter) => `\\u{${letter.charCodeAt(0).toString(16)}}`,
  );
}

/** A node with properties and children; strings become text. */
function make(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children.map((child) => (child instanceof Node ? child : plain(child))));
  return node;
}

function counted(count, what) {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}

// ---- totals, bars and the short tables

function writeHead() {
  const place = report.namespace == null ? "all namespaces" : `namespace ${report.namespace}`;
  const labels = report.selector == null ? "" : `, labels ${report.selector}`;
  const from = report.installation == null ? "" : ` (Service ${report.installation})`;
  const time = report.time.replace(/\.\d+Z$/, "Z").replace("T", " ");
  by("scope").append(plain(`${place}${labels} · Kubernetes ${report.cluster} · policies: ${report.policies} · cap `
    + `${report.cap}${from} · ${time} · Restraint ${report.version}`));
  document.title = plain(`Restraint audit, ${place}, ${time}`);
  const { objects, pods, findings } = report.totals;
  const total = (count, what, mode) => by("totals").append(
    make("div", {}, make("b", { className: mode ?? "" }, count.toLocaleString("en")), what));
  MODES.forEach((mode) => total(findings[mode] ?? 0, `findings: ${mode}`, mode));
  Object.entries(objects).forEach(([kind, count]) => total(count, kind));
  total(pods, "pods seen");
}

/** One bar: what it is of, its parts by mode, and its number. It is a button that chooses what it shows. */
function bar(facet, value, parts, most) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("aria-hidden", "true");
  let at = 0;
  for (const [mode, count] of parts.filter(([, count]) => count > 0)) {
    const part = document.createElementNS(drawing.namespaceURI, "rect");
    const width = (100 * count) / most;
    Object.entries({ class: mode, x: `${at}%`, width: `${width}%`, height: "100%" })
      .forEach(([name, value]) => part.setAttribute(name, value));
    drawing.append(part);
    at += width;
  }
  const count = parts.reduce((sum, [, count]) => sum + count, 0);
  const said = parts.filter(([, count]) => count > 0).map(([mode, count]) => `${count} ${mode}`).join(", ");
  const node = make("button", { type: "button", className: "bar", title: plain(`${value}: ${said}`) },
    make("span", {}, value), drawing, make("span", {}, count.toLocaleString("en")));
  node.addEventListener("click", () => facet.toggle(value));
  facet.bars.set(value, node);
  return node;
}

function writeBars(facet, title, rows) {
  if (rows.length === 0) return;
  const most = Math.max(...rows.map(([, parts]) => parts.reduce((sum, [, count]) => sum + count, 0)));
  const section = make("section", {}, make("h2", {}, title),
    ...rows.slice(0, MOST_BARS).map(([value, parts]) => bar(facet, value, parts, most)));
  if (rows.length > MOST_BARS) section.append(make("p", {}, `and ${rows.length - MOST_BARS} more`));
  by("bars").append(section);
}

/** A section with a table of the columns that have anything in them. Long ones show the rest on demand. */
function writeTable(id, title, rows, columns) {
  if (!rows || rows.length === 0) return;
  const body = make("tbody", {});
  const filled = Object.entries(columns).filter(([, cell]) => rows.some((row) => plain(cell(row)) !== ""));
  const table = make("table", {}, make("thead", {}, make("tr", {},
    ...filled.map(([name]) => make("th", { scope: "col" }, name)))), body);
  const line = (row) => make("tr", {}, ...filled.map(([name, cell]) => {
    const node = make("td", {}, cell(row));
    node.dataset.column = name; // where a window is too narrow for columns
    return node;
  }));
  body.append(...rows.slice(0, MOST_ROWS).map(line));
  const section = make("section", { id }, make("h2", {}, `${title} (${rows.length})`),
    make("div", { className: "wide" }, table));
  if (rows.length > MOST_ROWS) {
    const more = make("button", { type: "button" }, `show all ${rows.length}`);
    more.addEventListener("click", () => { body.append(...rows.slice(MOST_ROWS).map(line)); more.remove(); });
    section.append(more);
  }
  by("sections").append(section);
  by("contents").append(make("a", { href: `#${id}` }, `${title} (${rows.length})`));
}

function duration(seconds) {
  if (seconds == null) return "";
  const [size, unit] = seconds < 60 ? [1, "s"] : seconds < 3600 ? [60, "min"] : seconds < 172800 ? [3600, "h"]
    : [86400, "d"];
  return `${Math.floor(seconds / size)} ${unit}`;
}

function writeTables() {
  const pod = { pod: (row) => `${row.namespace}/${row.pod}` };
  writeTable("missing", "Not in this report", report.missing, { what: (row) => row.what, why: (row) => row.why });
  writeTable("resizes", "Resizes that are not done", report.resizes, { ...pod, node: (row) => row.node,
    reason: (row) => row.reason, for: (row) => duration(row.ageSeconds), "the kubelet says": (row) => row.message });
  writeTable("differing", "Memory limits that are not the spec's", report.differing, { ...pod,
    container: (row) => row.container, spec: (row) => row.desired, "has now": (row) => row.actual });
  writeTable("autoscalers", "What recommendations would come to", report.autoscalers, {
    autoscaler: (row) => `${row.namespace}/${row.name}`, target: (row) => row.target, mode: (row) => row.mode,
    outcome: (row) => row.outcome, allowance: (row) => row.allowance, why: (row) => row.why,
    changes: (row) => [].concat(row.changes ?? []).join(", "),
    restarts: (row) => [].concat(row.restarts ?? []).join(", ") });
  writeTable("approvals", "Approvals on pods", report.approvals, { ...pod, state: (row) => row.state,
    memory: (row) => row.memory, approver: (row) => row.approver, until: (row) => row.expires });
  by("contents").append(make("a", { href: "#findings" }, `Findings (${report.findings.length})`));
}
