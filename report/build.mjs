// SPDX-License-Identifier: MIT
// Bundles src/ with what it uses of ECharts into dist/report.js and dist/report.css, and notes in dist/bundle.json the
// hashes by which pages trust both, and that of the sources, by which a test sees that dist/ is up to date.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const read = (path) => readFileSync(path, "utf8");

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/// SHA-256 over name and content of every source, in the order of their names (tests/smoke/report_bundle_check.py).
function hashOfSources() {
  const hash = createHash("sha256");
  for (const path of [...filesBelow("src"), "build.mjs", "package.json", "package-lock.json"].sort()) {
    hash.update(`${path}\0`).update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}

const policyHash = (text) => `sha256-${createHash("sha256").update(text).digest("base64")}`;

mkdirSync("dist", { recursive: true });
const licences = [
  ["Apache ECharts", "echarts", ["LICENSE", "NOTICE"]],
  ["zrender", "zrender", ["LICENSE"]],
].map(([title, name, files]) => {
  const { version } = JSON.parse(read(`node_modules/${name}/package.json`));
  for (const file of files) {
    copyFileSync(join("node_modules", name, file), `dist/${file}.${name}`);
  }
  const texts = files.map((file) => read(join("node_modules", name, file)).replaceAll("*/", "* /"));
  return `${title} ${version}\n\n${texts.join("\n")}`;
});

await build({
  entryPoints: { report: "src/main.js" },
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2020",
  charset: "ascii",
  legalComments: "none",
  banner: { js: `/*!\nThis script contains\n\n${licences.join("\n\n")}\n*/` },
  outdir: "dist",
});
await build({ entryPoints: ["src/report.css"], minify: true, charset: "utf8", outdir: "dist" });

const hashes = {
  sources: hashOfSources(),
  script: policyHash(read("dist/report.js")),
  style: policyHash(read("dist/report.css")),
};
writeFileSync("dist/bundle.json", `${JSON.stringify(hashes, null, 2)}\n`);
