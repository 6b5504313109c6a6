"use strict";

const all = (within, selector) => [...within.querySelectorAll(selector)];
const cards = all(document, ".card");
const controls = document.querySelector(".controls");

function explore(plot) {
  const points = all(plot, ".point");
  const cursor = plot.querySelector(".cursor");
  const readout = plot.closest("figure").querySelector(".readout");
  let current = points[points.length - 1];

  for (const point of points) {
    // The label stays for screen readers; as a title it would cover what it explains.
    const title = point.querySelector("title");
    point.setAttribute("aria-label", title.textContent);
    title.remove();
  }
  const show = (point) => {
    current.classList.remove("on");
    current.setAttribute("tabindex", "-1");
    current = point;
    current.classList.add("on");
    current.setAttribute("tabindex", "0");
    readout.textContent = current.getAttribute("aria-label");
    const x = current.querySelector("circle").getAttribute("cx");
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    cursor.classList.add("on");
  };
  const nearest = (event) => {
    const box = plot.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 100;
    const far = (point) => Math.abs(parseFloat(point.querySelector("circle").getAttribute("cx")) - x);
    return points.reduce((best, point) => (far(point) < far(best) ? point : best));
  };
  readout.textContent = current.getAttribute("aria-label");
  readout.hidden = false;
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 };

  plot.addEventListener("pointermove", (event) => show(nearest(event)));
  plot.addEventListener("pointerdown", (event) => show(nearest(event)));
  // On the box around it: Chromium lets people tab to an SVG that listens for focus.
  plot.parentElement.addEventListener("focusin", (event) => show(event.target.closest(".point")));
  plot.parentElement.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    const to = points.indexOf(current) + steps[event.key];
    points[Math.max(0, Math.min(points.length - 1, to))].focus();
  });
}

function filter() {
  const words = controls.querySelector("#filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const changed = controls.querySelector("#changed").checked;
  let shown = 0;
  for (const card of cards) {
    const name = card.dataset.name.toLowerCase();
    card.hidden = !words.every((word) => name.includes(word)) || (changed && !card.querySelector(".mark"));
    if (!card.hidden) shown += 1;
  }
  controls.querySelector("output").textContent = `${shown} of ${cards.length} shown`;
}

function reveal() {
  const card = document.getElementById(location.hash.slice(1));
  if (!card || !card.hidden) return;
  controls.reset();
  filter();
  card.scrollIntoView();
}

all(document, ".plot .lines").forEach(explore);
if (controls) {
  controls.hidden = false;
  controls.addEventListener("input", filter);
  controls.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", reveal);
  filter();
}
