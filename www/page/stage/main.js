// The stage: both halves from one template, and the button that plays the same on both.

import { Half } from "./half.js";
import { listening } from "./server.js";

const template = document.querySelector("template");
const both = document.querySelector("#both");

const roots = [...document.querySelectorAll("[data-half]")];
for (const root of roots) root.append(template.content.cloneNode(true));

await listening;
const halves = await Promise.all(roots.map((root) => Half.open(root)));
both.addEventListener("click", async () => {
  both.disabled = true;
  await Promise.all(halves.map((half) => half.press("storm")));
  both.dataset.played = Number(both.dataset.played ?? 0) + 1;
  both.disabled = false;
});
both.disabled = false;
document.body.dataset.state = "ready";
