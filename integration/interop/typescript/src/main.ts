// Holds the golden files below the directory of the protocols, the one argument,
// to what the specification says: makes each again from its inputs and compares
// it byte for byte. A file this program does not know is a failure too.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { checks, load, text as textOf } from "./golden.js";

/** goldenFiles are the JSON files in directories called testdata. */
function goldenFiles(dir: string, below = ""): string[] {
  return readdirSync(join(dir, below)).flatMap((name) => {
    const path = below === "" ? name : `${below}/${name}`;
    if (statSync(join(dir, path)).isDirectory()) return name === "fuzz" ? [] : goldenFiles(dir, path);
    return /(^|\/)testdata\/[^/]+\.json$/.test(path) ? [path] : [];
  });
}

/** firstDifference shows where two texts part. */
function firstDifference(made: string, held: string): string {
  const [a, b] = [made.split("\n"), held.split("\n")];
  const i = a.findIndex((line, at) => line !== b[at]);
  return `line ${i + 1}: made ${a[i]?.slice(0, 200)}, held ${b[i]?.slice(0, 200)}`;
}

function check(protocols: string, file: string): string | undefined {
  const remake = checks[file];
  if (!remake) return "nothing makes it";
  const { text, held } = load(protocols, file);
  const made = textOf(remake(held, protocols));
  return made === text ? undefined : firstDifference(made, text);
}

const protocols = process.argv[2] ?? "../../../protocols";
const files = new Set([...goldenFiles(protocols), ...Object.keys(checks)]);
for (const file of files) {
  let wrong: string | undefined;
  try {
    wrong = check(protocols, file);
  } catch (err) {
    wrong = String(err);
  }
  console.log(`${wrong ? "FAIL" : "ok  "} ${file}${wrong ? `: ${wrong}` : ""}`);
  if (wrong) process.exitCode = 1;
}
