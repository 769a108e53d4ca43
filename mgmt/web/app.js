// The dashboard: a client of the API like any other. Text from the router is
// only ever put in as text, never as markup.
const $ = (id) => document.getElementById(id);
let token = sessionStorage.getItem("token") || "";
const kSamples = 60;
const kMembers = 12; // of one route that are shown
const history = new Map(); // "port NAME" or "node ADDRESS" -> samples of {t, counts}
let neighbors = [];
let drops = new Map();

function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props))
    key === "class" ? (node.className = value) : node.setAttribute(key, value);
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

const number = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

function lasting(seconds) {
  if (seconds >= 86400) return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)} min` : `${seconds} s`;
}

const bits = (rate) => short.format(rate * 8) + " bit/s";

// Notes byte counts of now, and gives the rates since they were first noted.
function rates(name, ...counts) {
  const samples = history.get(name) || [];
  samples.push({ t: performance.now(), counts });
  history.set(name, samples.slice(-kSamples));
  return samples.slice(-kSamples).slice(1).map((now, i) => {
    const before = samples.slice(-kSamples)[i];
    const seconds = (now.t - before.t) / 1000;
    return now.counts.map((c, which) => Math.max(0, (c - before.counts[which]) / seconds));
  });
}

class Refused extends Error {}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (token) headers.Authorization = "Bearer " + token;
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401) {
    if (!$("ask").open) $("ask").showModal();
    throw new Refused("a token is needed");
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Refused(problem.detail || problem.title || "HTTP " + response.status);
  }
  return response;
}
const get = async (path) => (await ask(path)).json();

function tile(title, value, kind = "") {
  return make("div", { class: "tile" }, make("b", { class: kind }, value), make("span", {}, title));
}

function showStatus(s) {
  document.title = `${s.hostname} - torii`;
  $("host").textContent = s.hostname || "torii";
  const state = $("state");
  state.textContent = s.ready ? "ready" : "not ready";
  state.className = "pill " + (s.ready ? "good" : "bad");
  state.title = s.reasons.join("\n");
  $("facts").textContent =
    `AS ${s.asn}, router ID ${s.router_id}, up ${lasting(s.uptime)}, version ${s.version}` +
    (s.ready ? "" : ": " + s.reasons.join("; "));
  const all = s.neighbors === s.neighbors_established;
  $("tiles").replaceChildren(
    tile("neighbors established", `${s.neighbors_established} of ${s.neighbors}`, all ? "good" : "warn"),
    tile("IPv4 routes", number.format(s.routes_ipv4)),
    tile("IPv6 routes", number.format(s.routes_ipv6)),
    tile("busiest worker", Math.round(s.busy_ratio * 100) + " %"),
    tile("configuration", "r" + s.config_revision + (s.config_saved ? "" : " unsaved"), s.config_saved ? "" : "warn"),
  );
}

let sent = new Map(); // address -> rates of what is forwarded to it: bytes, packets
let routes = []; // those that are shown

function noteTraffic(adjacencies) {
  sent = new Map(adjacencies.map((a) =>
    [a.address, rates(`node ${a.address} ${a.port}`, a.sent_bytes, a.sent_packets)]));
  showRoutes();
}

// Packets a second of the last half minute.
function packets(address) {
  const series = (sent.get(address) || []).slice(-15);
  return series.reduce((sum, r) => sum + r[1], 0) / Math.max(1, series.length);
}

// An address that is no neighbor on a link has no traffic of its own.
function traffic(address) {
  const series = sent.get(address);
  return series ? [spark(series, ["out"]), make("span", {}, bits((series.at(-1) || [0])[0]))] : [];
}

function showNeighbors() {
  const wanted = $("find-neighbor").value.toLowerCase();
  const matching = neighbors.filter((n) =>
    [n.address, n.group, n.state, n.description, n.hostname, String(n.remote_as)]
      .join(" ").toLowerCase().includes(wanted));
  matching.sort((a, b) => (a.state === "Established") - (b.state === "Established"));
  const total = (n, key) => number.format(n.families.reduce((sum, f) => sum + f[key], 0));
  $("neighbors").replaceChildren(...matching.slice(0, 500).map((n) => {
    const up = n.state === "Established";
    return make("tr", {},
      make("td", {}, n.address), make("td", { class: "n more" }, String(n.remote_as)),
      make("td", { class: "more" }, (n.group || "") + (n.dynamic ? " *" : "")),
      make("td", { class: up ? "good" : "bad" }, n.state), make("td", { class: "n more" }, lasting(n.uptime)),
      make("td", { class: "n more" }, total(n, "received")), make("td", { class: "n" }, total(n, "accepted")),
      make("td", { class: "n more" }, total(n, "advertised")),
      make("td", { class: "traffic" }, ...traffic(n.address)),
      make("td", { class: "more" }, up ? n.hostname || n.description || "" : n.last_reason || ""));
  }));
}

// Newest at the right; one line for each name.
function spark(series, names) {
  const most = Math.max(1, ...series.flat());
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 240 40");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const first = kSamples - series.length;
  names.forEach((name, which) => {
    const poly = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    poly.setAttribute("points", series
      .map((r, i) => `${(((first + i) / (kSamples - 1)) * 240).toFixed(1)},${(38 - (r[which] / most) * 35).toFixed(1)}`).join(" "));
    poly.setAttribute("class", name);
    svg.append(poly);
  });
  return svg;
}

function showPorts(ports) {
  $("ports").replaceChildren(...ports.map((p) => {
    const series = rates("port " + p.name, p.rx_bytes, p.tx_bytes);
    const [rx, tx] = series.at(-1) || [0, 0];
    const link = !p.admin_up ? "shut" : p.link_up ? "up" : "down";
    return make("div", { class: "row" },
      make("span", {}, make("strong", {}, p.name), " ", make("span", { class: link === "up" ? "good" : "bad" }, link)),
      make("span", { class: "rates" }, make("span", { class: "in" }, "in " + bits(rx)), " ",
        make("span", { class: "out" }, "out " + bits(tx))),
      spark(series, ["in", "out"]), make("small", {}, [...p.addresses, "MTU " + p.mtu, p.vlan ? `VLAN ${p.vlan} of ${p.parent}` : p.device].join(" · ")));
  }));
}

function bar(title, value, share, note, kind = "") {
  const fill = make("i", { class: kind });
  fill.style.width = Math.min(100, share * 100).toFixed(1) + "%";
  return make("div", { class: "row" }, make("span", {}, title), make("span", {}, value),
    make("div", { class: "bar" }, fill), note ? make("small", {}, note) : null);
}

function showCounters(counters) {
  const named = new Map(counters.map((c) => [c.name, c.samples]));
  const counted = { drop: new Map(), punt: new Map() };
  for (const { labels, value } of named.get("torii_exit_packets_total") || [])
    if (counted[labels.kind] && value > 0)
      counted[labels.kind].set(labels.exit, (counted[labels.kind].get(labels.exit) || 0) + value);
  for (const [kind, id] of [["drop", "drops"], ["punt", "punts"]]) {
    const sorted = [...counted[kind]].sort((a, b) => b[1] - a[1]).slice(0, 10);
    $(id).replaceChildren(...(sorted.length
      ? sorted.map(([name, count]) => {
          const more = count - (drops.get(name) ?? count);
          return bar(name.replace(/^punt_/, "").replaceAll("_", " "),
            (more > 0 ? `+${number.format(more)}  ` : "") + number.format(count), count / sorted[0][1], "", kind);
        })
      : [make("p", { class: "quiet" }, "nothing")]));
  }
  drops = new Map([...counted.drop, ...counted.punt]);
  const limits = new Map((named.get("torii_resource_limit") || []).map((s) => [JSON.stringify(s.labels), s.value]));
  const used = (named.get("torii_resource_used") || []).map((s) => {
    const limit = limits.get(JSON.stringify(s.labels)) || 0;
    return bar(Object.values(s.labels).join(" ").replaceAll("_", " "), number.format(s.value),
      limit ? s.value / limit : 0, limit ? "of " + number.format(limit) : "");
  });
  $("gauges").replaceChildren(...(used.length ? used : [make("p", { class: "quiet" }, "none reported")]));
}

// Where a route leads. Of a service's members: what part of the packets to all of them
// each one gets now, beside the part of the flows that its weight gives it.
function nextHops(route) {
  const hops = route.next_hops;
  const place = (h) => [h.address, h.port].filter(Boolean).join(" on ");
  if (hops.length < 2) return [hops.length ? place(hops[0]) : route.kind];
  const weights = hops.reduce((sum, h) => sum + h.weight, 0);
  const rate = hops.map((h) => packets(h.address));
  const all = rate.reduce((sum, r) => sum + r, 0);
  const percent = (share) => Math.round(share * 100) + " %";
  const shown = hops.map((h, i) => [h, rate[i]]);
  if (shown.length > kMembers) shown.sort((a, b) => b[1] - a[1]);
  const more = shown.length - kMembers;
  const rows = shown.slice(0, kMembers).map(([h, rate]) => {
    const share = all >= 1 ? rate / all : 0;
    const fill = make("i", {});
    fill.style.width = (share * 100).toFixed(1) + "%";
    return make("div", { class: "member", title: `weight ${h.weight}: ${percent(h.weight / weights)} of the flows` },
      make("span", { class: h.active ? "" : "bad" }, place(h)), make("div", { class: "bar" }, fill),
      make("span", { class: "share" }, all >= 1 ? percent(share) : "quiet"));
  });
  return more > 0 ? [...rows, make("small", { class: "quiet" }, `and ${more} more members`)] : rows;
}

function showRoutes() {
  $("routes").replaceChildren(...routes.map((r) => make("tr", {},
    make("td", {}, r.prefix), make("td", { class: "more" }, r.source),
    make("td", { class: "hops" }, ...nextHops(r)),
    make("td", { class: "more" }, r.bgp ? r.bgp.as_path : ""), make("td", { class: "n more" }, lasting(r.age)),
    make("td", { class: "more" }, (r.installed ? "" : "not installed: ") + (r.because || "")))));
}

async function findRoutes() {
  const form = new FormData($("find-route"));
  const query = new URLSearchParams({ limit: "100" });
  const text = form.get("q").trim();
  if (text) query.set("prefix", text);
  if (text && !text.includes("/")) query.set("match", "lpm");
  else if (text) query.set("longer", "true");
  if (form.get("source")) query.set("source", form.get("source"));
  try {
    const page = await get("/api/v1/routes?" + query);
    routes = page.routes;
    $("routes-note").textContent =
      `${page.routes.length} shown of ${number.format(page.total)} prefixes` + (page.next_cursor ? "; narrow it down to see more" : "");
  } catch (error) {
    routes = [];
    $("routes-note").textContent = error.message;
  }
  showRoutes();
}

function addEvent(e, list = $("events")) {
  const kind = { error: "bad", warning: "warn" }[e.severity] || "";
  list.prepend(make("li", {}, make("time", { datetime: e.time }, e.time.slice(11, 19)),
    make("code", { class: kind }, e.id), make("span", {}, e.text, " ",
      make("small", { class: "quiet" }, Object.entries(e.fields).map(([k, v]) => `${k} ${v}`).join(" · ")))));
  while (list.children.length > 200) list.lastChild.remove();
}

// Server-sent events by hand, because EventSource cannot carry a token.
async function follow() {
  let after = 0;
  for (;;) {
    try {
      if (!after) {
        const { events } = await get("/api/v1/events?limit=50");
        $("events").replaceChildren();
        for (const e of events) addEvent(e), (after = e.sequence);
      }
      const response = await ask("/api/v1/events?after=" + after, { headers: { Accept: "text/event-stream" } });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let pending = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const lines = (pending + value).split("\n");
        pending = lines.pop();
        for (const line of lines)
          if (line.startsWith("data: ")) {
            const e = JSON.parse(line.slice(6));
            after = e.sequence;
            addEvent(e);
          }
      }
    } catch { /* the status line shows that the router is away */ }
    await new Promise((wake) => setTimeout(wake, 2000));
  }
}

async function refresh() {
  const one = async (path, show) => {
    try {
      show(await get(path));
      return true;
    } catch (error) {
      return error instanceof Refused;
    }
  };
  const reached = await one("/api/v1/status", showStatus);
  if (!reached) {
    $("state").textContent = "no answer";
    $("state").className = "pill bad";
  } else if (!document.hidden) {
    await Promise.all([
      one("/api/v1/adjacencies", (a) => noteTraffic(a.adjacencies))
        .then(() => one("/api/v1/neighbors", (a) => { neighbors = a.neighbors; showNeighbors(); })),
      one("/api/v1/ports", (a) => showPorts(a.ports)),
      one("/api/v1/counters", (a) => showCounters(a.counters)),
    ]);
  }
  setTimeout(refresh, 2000);
}

$("find-neighbor").addEventListener("input", showNeighbors);
$("find-route").addEventListener("submit", (event) => { event.preventDefault(); findRoutes(); });
$("ask").addEventListener("close", () => {
  token = $("token").value;
  sessionStorage.setItem("token", token);
  findRoutes();
});
refresh();
findRoutes();
follow();
