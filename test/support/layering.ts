/** The rules of who may import whom in src, as a function over source texts. */
import ts from "typescript";

/** Path relative to the root, with slashes, to the file's text. */
export type Sources = ReadonlyMap<string, string>;

const limitOfLines = 400;

/** A folder may import from its own rank and from lower ones; folders of one rank must not import each other in a circle. */
const ranks: Readonly<Record<string, number>> = {
  "src/core/base": 0,
  "src/core/cni": 1,
  "src/core/hcn": 1,
  // The configuration holds policies that users write, so reading it judges them: policy is below config and knows nothing of it.
  "src/core/policy": 1,
  "src/core/config": 2,
  "src/core/datapath": 2,
  "src/core/ipam": 2,
  "src/core/engine": 3,
  "src/core/topology": 3,
  "src/host": 4,
  "src/service": 5,
  "src/cli": 5,
  "src/bin": 6,
};

/** What has a price or a platform and therefore one home: every npm package, and this builtin. */
const guardedBuiltins = ["node:sqlite"];

/** Packages of the admin command line: every noun may use them, and nothing else may, as the CNI path must not load them. */
const cliPackages = ["yaml", "yargs"];

const impure = ["process", "console", "require", "fetch"];

interface Import {
  readonly from: string;
  /** The text of the import. */
  readonly specifier: string;
}

/** Every broken rule as one sentence that names the file; empty when all hold. */
export function findViolations(sources: Sources): string[] {
  const files = [...sources].map(([path, text]) => ({ path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true) }));
  const imports = files.flatMap(({ path, text }) =>
    ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => ({ from: path, specifier: fileName })),
  );
  return [
    ...files.filter(({ path }) => folderOf(path) === undefined).map(({ path }) => `${path} is in no known folder of src`),
    ...imports.flatMap(findWrongDirection),
    ...findCircles(imports),
    ...findScatteredDependencies(imports),
    ...files.flatMap(({ path, tree }) => findGlobals(path, tree)),
    ...files.filter(({ text }) => countLines(text) > limitOfLines).map(({ path, text }) => `${path} has ${countLines(text)} lines`),
  ];
}

function countLines(text: string): number {
  return text.trimEnd().split("\n").length;
}

function folderOf(path: string): string | undefined {
  return Object.keys(ranks).find((folder) => path.startsWith(`${folder}/`));
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith(".");
}

/** The path that a relative import means, seen from the file that has it. */
function targetOf({ from, specifier }: Import): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

function findWrongDirection(one: Import): string[] {
  if (!isRelative(one.specifier)) {
    return one.from.startsWith("src/core/") ? [`${one.from} imports ${one.specifier}: core imports only core`] : [];
  }
  const target = targetOf(one);
  const [from, to] = [folderOf(one.from), folderOf(target)];
  if (from === undefined) return []; // reported as such
  if (to === undefined) return [`${one.from} imports ${target}, which is outside the known folders of src`];
  return rankOf(to) > rankOf(from) ? [`${one.from} imports ${target}: ${from} must not know ${to}`] : [];
}

function rankOf(folder: string): number {
  return ranks[folder] ?? Number.POSITIVE_INFINITY;
}

/** Circles between folders of the same rank; those between ranks are wrong directions already. */
function findCircles(imports: readonly Import[]): string[] {
  const edges = new Set<string>();
  for (const one of imports.filter(({ specifier }) => isRelative(specifier))) {
    const [from, to] = [folderOf(one.from), folderOf(targetOf(one))];
    if (from !== undefined && to !== undefined && from !== to && rankOf(from) === rankOf(to)) edges.add(`${from} ${to}`);
  }
  return [...edges].filter((edge) => reaches(edges, edge)).map((edge) => `${edge.replace(" ", " imports ")}, which leads back to it`);
}

/** Whether the end of `edge` leads back to its start. */
function reaches(edges: ReadonlySet<string>, edge: string): boolean {
  const [start, first] = edge.split(" ");
  const seen = new Set<string | undefined>();
  const open = [first];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === start) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    for (const next of edges) if (next.startsWith(`${at} `)) open.push(next.split(" ")[1]);
  }
  return false;
}

function findScatteredDependencies(imports: readonly Import[]): string[] {
  const homes = new Map<string, Set<string>>();
  for (const { from, specifier } of imports) {
    if (from.startsWith("src/core/")) continue; // may import no package at all, and that is reported already
    if (isRelative(specifier) || (specifier.startsWith("node:") && !guardedBuiltins.includes(specifier))) continue;
    homes.set(specifier, (homes.get(specifier) ?? new Set()).add(from));
  }
  return [...homes].flatMap(([name, files]) => {
    const list = [...files].sort();
    if (cliPackages.includes(name)) {
      const others = list.filter((file) => !file.startsWith("src/cli/"));
      return others.length > 0 ? [`${name} is imported outside src/cli: ${others.join(", ")}`] : [];
    }
    const strangers = list.filter((file) => !file.startsWith("src/host/"));
    if (strangers.length > 0) return [`${name} is imported outside src/host: ${strangers.join(", ")}`];
    return list.length > 1 ? [`${name} is imported in more than one file: ${list.join(", ")}`] : [];
  });
}

function findGlobals(path: string, tree: ts.SourceFile): string[] {
  const found: string[] = [];
  const inCore = path.startsWith("src/core/");
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && isReference(node)) {
      if (inCore && impure.includes(node.text)) found.push(`${path} uses ${node.text}: core has no outside world`);
      if (!path.startsWith("src/bin/") && readsSurroundings(node))
        found.push(`${path} reads process.env or process.argv: only src/bin may`);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** A name that stands for a variable: neither the name of a property or parameter nor part of a type. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return (
    ts.isElementAccessExpression(parent) || ts.isCallExpression(parent) || (ts.isVariableDeclaration(parent) && parent.initializer === node)
  );
}

function readsSurroundings(node: ts.Identifier): boolean {
  if (node.text !== "process") return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name.text === "env" || parent.name.text === "argv";
  // process["env"], const { env } = process
  return ts.isElementAccessExpression(parent) || ts.isVariableDeclaration(parent);
}
