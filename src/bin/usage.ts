import { writeSync } from "node:fs";

declare const HNS_CNI_VERSION: string;

const USAGE = `hns-cni ${HNS_CNI_VERSION}: a CNI plugin for Windows nodes

A container runtime runs this program with CNI_COMMAND and the other CNI_* variables set and the network configuration on stdin.

  hns-cni --version   print the version
  hns-cni --help      print this text
`;

/** What the program says to a person. Exit code 0 when asked for it, 2 when the arguments mean nothing. */
export function printUsage(args: readonly string[]): void {
  const [first] = args;
  if (first === "--version") writeSync(1, `${HNS_CNI_VERSION}\n`);
  else if (first === "--help" || first === undefined) writeSync(1, USAGE);
  else {
    writeSync(2, `hns-cni: unknown argument "${first}"; see hns-cni --help\n`);
    process.exitCode = 2;
  }
}
