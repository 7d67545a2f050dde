// SPDX-License-Identifier: MIT
import { disposeBelow, drawTheRest } from "./chart.js";
import { append, choice, h } from "./dom.js";
import { runModel } from "./model.js";
import { comparisonSection } from "./run/comparison.js";
import { cyclesSection } from "./run/cycles.js";
import { energySection } from "./run/energy.js";
import { machineSection, provenanceSection } from "./run/machine.js";
import { mappingsSection } from "./run/mappings.js";
import { operationsSection } from "./run/operations.js";
import { rooflineSection } from "./run/roofline.js";
import { seriesSection } from "./run/series.js";
import { summarySection } from "./run/summary.js";
import { studyPage } from "./study/page.js";
import { grouped, shown } from "./text.js";
import { startTheme, themeSwitch } from "./theme.js";

function runSections(run, program) {
  const hasGemms = run.operations.some((op) => op.machine.mode !== "vector" && op.macs > 0);
  return [
    summarySection(run),
    cyclesSection(run),
    energySection(run),
    hasGemms ? rooflineSection(run) : null,
    seriesSection(run),
    hasGemms ? mappingsSection(run) : null,
    operationsSection(run),
    machineSection(run),
    provenanceSection(run, program),
  ].filter((one) => one !== null);
}

function runsPage(data) {
  const several = data.runs.length > 1;
  const runs = data.runs.map((run, i) => runModel(run, i, several));
  const [first] = runs;
  if (!several) {
    const { provenance } = first;
    return {
      header: {
        title: first.network,
        text:
          `One training step, batch ${grouped(provenance.batch)}, ` +
          `on ${first.sideTitle("machine")} (${shown(first.machine.recipe)})` +
          (first.baseline ? `, beside ${first.sideTitle("baseline")} (${shown(first.baseline.recipe)})` : ""),
      },
      sections: runSections(first, data.program),
    };
  }
  const place = h("div", { id: "run" });
  const show = (i) => {
    disposeBelow(place);
    place.replaceChildren(h("p", { class: "which" }, `Below: ${runs[i].title}`), ...runSections(runs[i], data.program));
    return place;
  };
  return {
    header: {
      title: [...new Set(runs.map((run) => run.network))].join(", "),
      text: `${runs.length} runs: ${runs.map((run) => run.title).join("; ")}`,
    },
    sections: [comparisonSection(runs), show(0)],
    control: choice(
      "Run",
      runs.map((run, i) => [String(i), run.title]),
      "0",
      (value) => show(Number(value)),
    ),
  };
}

const briefTitles = {
  comparison: "Comparison",
  cycles: "Cycles",
  energy: "Energy",
  roofline: "Roofline",
  operations: "Operations",
};

/** Links to the sections, of which those of a chosen run come and go together. */
function navigation(main) {
  const titles = [...main.querySelectorAll("section")].map((one) => [
    one.id,
    briefTitles[one.id] ?? one.querySelector("h2").textContent,
  ]);
  return h(
    "nav",
    { "aria-label": "Sections" },
    titles.map(([id, title]) => h("a", { href: `#${id}` }, title)),
  );
}

function start() {
  startTheme();
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const page = data.kind === "study" ? studyPage(data) : runsPage(data);
  const main = h("main", { id: "main", tabindex: -1 });
  append(main, page.sections);
  const header = h(
    "header",
    {},
    h("div", { class: "bar" }, h("p", { class: "brand" }, "nibblesim"), themeSwitch()),
    h("h1", {}, page.header.title),
    h("p", { class: "sub" }, page.header.text),
  );
  document.body.prepend(
    document.querySelector(".skip"),
    header,
    h("div", { class: "sticky" }, navigation(main), page.control ?? null),
    main,
    h("footer", {}, h("p", {}, `Written by ${shown(data.program)}.`)),
  );
  drawTheRest();
}

start();
