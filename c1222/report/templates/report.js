(() => {
"use strict";
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const figures = [...document.querySelectorAll("figure.chart")];
const themes = ["auto", "light", "dark"];
const names = { auto: "as the system", light: "light", dark: "dark" };
let theme = "auto", printing = false;

function applyTheme() {
  const shown = printing ? "light" : theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  if (root.dataset.theme === shown) return;
  root.dataset.theme = shown;
  for (const figure of figures) if (figure.uplot) draw(figure);
}

function colour(name) { return getComputedStyle(root).getPropertyValue(name).trim(); }

function timesOf(spec) {
  if (spec.times) return spec.times;
  const times = [];
  for (const [start, count] of spec.runs) for (let i = 0; i < count; i++) times.push(start + i * spec.step);
  return times;
}

const two = (number) => String(number).padStart(2, "0");
function timeText(seconds, exact) {
  const t = new Date(seconds * 1000);
  const day = `${t.getUTCFullYear()}-${two(t.getUTCMonth() + 1)}-${two(t.getUTCDate())}`;
  const time = `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}`;
  const part = seconds % 1 ? `.${String(t.getUTCMilliseconds()).padStart(3, "0")}` : "";
  return `${day} ${time}` + (exact || part || t.getUTCSeconds() ? `:${two(t.getUTCSeconds())}${part}` : "");
}

function axisTimes(u, splits, axis, space, step) {
  let before = "";
  return splits.map((seconds) => {
    const text = timeText(seconds, step < 60), day = text.slice(0, 10), year = text.slice(0, 4);
    if (step >= 86400) {
      const first = before !== year;
      before = year;
      return text.slice(5, 10) + (first ? `\n${year}` : "");
    }
    const first = before !== day;
    before = day;
    return text.slice(11) + (first ? `\n${day}` : "");
  });
}

/* What happened, and intervals with a status: drawn over the chart. */
function marks(spec) {
  function ticks(u, list, ink, top) {
    const { ctx, bbox } = u, ratio = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = ink;
    ctx.lineWidth = ratio;
    for (const [time] of list) {
      const x = u.valToPos(time, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      if (top) {
        ctx.globalAlpha = 0.45;
        ctx.setLineDash([3 * ratio, 3 * ratio]);
        ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
        ctx.globalAlpha = 1;
        ctx.beginPath(); ctx.arc(x, bbox.top + 5 * ratio, 4 * ratio, 0, 7); ctx.fill();
      } else ctx.fillRect(x - ratio, bbox.top + bbox.height - 7 * ratio, 3 * ratio, 7 * ratio);
    }
    ctx.restore();
  }
  return (u) => { ticks(u, spec.events, colour("--s6"), true); ticks(u, spec.flags, colour("--warn"), false); };
}

/* The text of the mark that is nearest to the pointer. */
function tips(spec, plot) {
  const tip = document.createElement("div");
  tip.className = "tip"; tip.hidden = true;
  return {
    init(u) { u.over.append(tip); u.over.addEventListener("mouseleave", () => { tip.hidden = true; }); },
    setCursor(u) {
      const { left, top, idx } = u.cursor;
      let text = "";
      if (left >= 0) {
        let near = 7;
        for (const [time, what] of spec.events.concat(spec.flags)) {
          const far = Math.abs(u.valToPos(time, "x") - left);
          if (far < near) { near = far; text = `${timeText(time, true)} ${what}`; }
        }
        if (spec.lines && idx != null) {
          spec.series.forEach((one, at) => {
            if (one.v[idx] != null && Math.abs(u.valToPos(one.v[idx], "y") - top) < 12) text = `${timeText(u.data[0][idx], true)} ${one.texts[idx]}`;
          });
        }
      }
      tip.hidden = !text;
      tip.textContent = text;
      if (text) {
        const right = left > u.over.clientWidth / 2;
        tip.style.left = right ? "" : `${left + 12}px`;
        tip.style.right = right ? `${u.over.clientWidth - left + 12}px` : "";
        tip.style.top = `${Math.max(0, Math.min(top + 12, u.over.clientHeight - 40))}px`;
      }
    },
  };
}

function draw(figure) {
  const plot = figure.querySelector(".plot");
  const spec = figure.spec ??= JSON.parse(figure.querySelector("script").textContent);
  const kept = figure.uplot ? { min: figure.uplot.scales.x.min, max: figure.uplot.scales.x.max } : null;
  if (figure.uplot) figure.uplot.destroy();
  const times = timesOf(spec), lines = spec.lines;
  plot.classList.toggle("lines", Boolean(lines));
  const ink = colour("--soft"), grid = { stroke: colour("--line"), width: 1 };
  const font = "12px system-ui, sans-serif";
  const legendTime = (u, value) => (value == null ? "" : timeText(value, (spec.step ?? 1) % 60 !== 0));
  const series = [{ label: "Time", value: legendTime }];
  const bands = [];
  spec.series.forEach((one, at) => {
    const own = colour(one.error ? "--bad" : `--s${at % 8}`);
    const made = {
      label: one.name, stroke: own, width: one.band ? 0 : 1.5,
      value: (u, value) => (lines ? "" : value == null ? "–" : `${value.toLocaleString("en-US", { maximumFractionDigits: 6 })}${spec.unit ? ` ${spec.unit}` : ""}`),
      points: { show: one.dots ? true : undefined, size: one.dots ? 8 : 5, fill: one.dots ? own : undefined },
    };
    if (one.steps) made.paths = uPlot.paths.stepped({ align: 1 });
    if (one.dots) { made.paths = () => null; made.width = 0; }
    if (one.band) made.points = { show: false };
    if (one.band === 1) bands.push({ series: [at + 1, at + 2], fill: `rgb(${colour("--heat")} / .22)` });
    series.push(made);
  });
  const span = times[times.length - 1] - times[0] || spec.step || 3600;
  const whole = { min: times[0] - (lines ? span * 0.02 : 0), max: times[times.length - 1] + (lines ? span * 0.02 : spec.step ?? span * 0.02) };
  figure.whole = whole;
  const tip = tips(spec, plot);
  const width = () => Math.max(200, plot.clientWidth);
  const wide = lines ? Math.min(190, Math.max(...lines.map((text) => text.length)) * 6.4 + 14, width() * 0.42) : 58;
  const options = {
    width: width(), height: lines ? 90 + 24 * lines.length : 300, series, bands,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    scales: {
      x: { time: true, range: (u, min, max) => (kept || min != null ? [min, max] : [whole.min, whole.max]) },
      y: { range: lines ? [-0.7, lines.length - 0.3] : undefined },
    },
    axes: [
      { stroke: ink, grid, ticks: grid, font, space: 64, values: axisTimes, size: 46 },
      { stroke: ink, grid, ticks: grid, font, size: wide, label: lines ? undefined : spec.unit || undefined, labelSize: 18, labelFont: font,
        splits: lines ? () => lines.map((_, at) => at) : undefined,
        values: lines ? (u, splits) => splits.map((at) => (lines[at].length > wide / 6.4 ? `${lines[at].slice(0, Math.floor(wide / 6.4) - 1)}…` : lines[at]))
          : (u, splits) => splits.map((value) => value.toLocaleString("en-US", { maximumFractionDigits: 6 })) },
    ],
    legend: { show: !lines, live: true },
    cursor: { drag: { x: true, y: false }, y: false },
    hooks: { draw: [marks(spec)], init: [tip.init], setCursor: [tip.setCursor] },
  };
  figure.uplot = new uPlot(options, [times, ...spec.series.map((one) => one.v)], plot);
  figure.uplot.setScale("x", kept ?? whole);
  figure.drawn = plot.clientWidth;
}

function zoom(figure, what) {
  const u = figure.uplot;
  if (!u) return;
  const whole = figure.whole;
  let { min, max } = u.scales.x;
  const wide = max - min, middle = (min + max) / 2;
  if (what === "in") { min = middle - wide / 4; max = middle + wide / 4; }
  else if (what === "out") { min = middle - wide; max = middle + wide; }
  else if (what === "left") { min -= wide / 4; max -= wide / 4; }
  else if (what === "right") { min += wide / 4; max += wide / 4; }
  else ({ min, max } = whole);
  const size = Math.min(max - min, whole.max - whole.min);
  min = Math.max(whole.min, Math.min(min, whole.max - size));
  u.setScale("x", { min, max: min + size });
}

const keys = { "+": "in", "=": "in", "-": "out", _: "out", ArrowLeft: "left", ArrowRight: "right", 0: "all", Escape: "all" };
const buttons = [["in", "Zoom in"], ["out", "Zoom out"], ["left", "◀", "Earlier"], ["right", "▶", "Later"], ["all", "All"]];
for (const figure of figures) {
  const plot = figure.querySelector(".plot"), tools = document.createElement("div");
  const title = figure.querySelector("figcaption").textContent, about = figure.querySelector(".about").textContent;
  const meter = figure.closest("details.meter")?.querySelector("h3").textContent;
  tools.className = "tools";
  tools.role = "toolbar";
  tools.ariaLabel = `Zoom of ${title}`;
  for (const [what, text, name] of buttons) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.do = what;
    button.textContent = text;
    if (name) button.ariaLabel = name;
    tools.append(button);
  }
  plot.before(tools);
  plot.tabIndex = 0;
  plot.role = "img";
  plot.ariaLabel = `${title}${meter ? ` of ${meter}` : ""}: ${about}. Keys: plus and minus zoom, arrows move, 0 shows all.`;
  figure.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) zoom(figure, button.dataset.do);
  });
  plot.addEventListener("keydown", (event) => {
    const what = keys[event.key];
    if (!what || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    zoom(figure, what);
  });
}

function drawVisible() {
  for (const figure of figures) if (!figure.uplot && figure.getClientRects().length) draw(figure);
}

const watcher = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting && !target.uplot) draw(target);
}, { rootMargin: "400px" });
figures.forEach((figure) => watcher.observe(figure));
new ResizeObserver(() => {
  for (const figure of figures) {
    const plot = figure.querySelector(".plot");
    if (figure.uplot && plot.clientWidth && plot.clientWidth !== figure.drawn) draw(figure);
  }
}).observe(document.body);

/* A place in a closed part opens it. */
function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); }
}
addEventListener("hashchange", openTarget);
document.addEventListener("click", (event) => { if (event.target.closest("a[href^='#meter-']")) setTimeout(openTarget); });

for (const input of document.querySelectorAll("[data-filter]")) {
  const list = document.getElementById(input.dataset.filter);
  const rows = list.tagName === "TABLE" ? [...list.tBodies[0].rows] : [...list.children];
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}

for (const [id, open] of [["open-all", true], ["close-all", false]]) {
  document.getElementById(id)?.addEventListener("click", () => {
    for (const meter of document.querySelectorAll("details.meter")) meter.open = open;
  });
}

const button = document.getElementById("theme");
button.addEventListener("click", () => {
  theme = themes[(themes.indexOf(theme) + 1) % themes.length];
  button.textContent = `Theme: ${names[theme]}`;
  applyTheme();
});
dark.addEventListener("change", applyTheme);
addEventListener("beforeprint", () => { printing = true; drawVisible(); applyTheme(); });
addEventListener("afterprint", () => { printing = false; applyTheme(); });
document.getElementById("no-script").remove();
applyTheme();
openTarget();
})();
