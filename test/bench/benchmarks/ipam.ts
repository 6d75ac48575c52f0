import { packagedReason } from "../../support/packaged.ts";
import type { Benchmark, Omission, Prepared, Series } from "../benchmark.ts";
import { hostLocalReason } from "../host-local.ts";
import { prepareAllocator } from "../ipam-in-process.ts";
import { prepareWholeProcesses } from "../ipam-processes.ts";

/** How many addresses are held while the next one is taken. */
const held = [0, 1_000, 10_000, 60_000] as const;
/** host-local opens a file for each: with 60,000 a call takes seconds. */
const peerHeld = [0, 1_000, 10_000] as const;

export const ipam: Benchmark = {
  name: "ipam",
  summary: "taking and giving back an address while none to 60,000 are held, and beside host-local",
  notes: [
    "In process: one allocate and one release, each a durable transaction of its own, through the SQLite store.",
    "As whole processes: an ADD and a DEL together. As a plugin hns-cni also makes and removes an endpoint; as an IPAM plugin it keeps addresses alone.",
    "Beside host-local, a Go program that opens a file for each address held, hns-cni does the same work: ADD and DEL of an IPAM plugin, in the same rounds.",
  ],
  rounds: 15,
  prepare: async (): Promise<Prepared> => {
    const allocators = held.map(prepareAllocator);
    const inProcess: Series = {
      title: "Allocate and release in process",
      unit: "µs",
      warmUp: 2,
      contestants: allocators.map(({ contestant }) => contestant),
    };
    const omissions: Omission[] = [];
    const noProgram = packagedReason();
    const noPeer = hostLocalReason();
    if (noProgram !== undefined) omissions.push({ what: "whole processes", reason: noProgram });
    else if (noPeer !== undefined) omissions.push({ what: "host-local", reason: noPeer });
    const processes = noProgram === undefined ? await prepareWholeProcesses(held, noPeer === undefined ? peerHeld : []) : undefined;
    const close = async (): Promise<void> => {
      for (const allocator of allocators) allocator.close();
      await processes?.close();
    };
    return { series: [inProcess, ...(processes === undefined ? [] : processes.series)], omissions, close };
  },
};
