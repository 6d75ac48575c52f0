/** A node for benchmarks: emulated HNS, state folder, and the processes of CNI calls ready to be started. */
import { type AttachmentCommand, buildVariables, CniNode, type Pod, README_LIST } from "../support/cni-node.ts";
import type { ConfList, JsonObject } from "../../scripts/demo/conf-list.ts";
import { linux } from "../support/programs.ts";
import { emulatorLibrary } from "../support/paths.ts";
import { type BuildRun, type ProcessRun, runProcess } from "./process.ts";

/** Room for every address that a benchmark holds, and for those that rest after use. */
export const WIDE_LIST: ConfList = {
  ...README_LIST,
  plugins: README_LIST.plugins.map((plugin) => ({ ...plugin, ipam: { type: "hns-cni", cidr: "10.244.0.0/16" } })),
};

export class BenchNode {
  readonly cni: CniNode;
  readonly #program: string;

  constructor(cni: CniNode, program: string) {
    this.cni = cni;
    this.#program = program;
  }

  /** A node whose network stands, so that an ADD does what it does all day. `program` is a Linux program with koffi.node beside it. */
  static async start(program: string): Promise<BenchNode> {
    const node = new BenchNode(await CniNode.start(linux, WIDE_LIST), program);
    try {
      await node.attachPod();
      return node;
    } catch (thrown) {
      await node.close();
      throw thrown;
    }
  }

  close(): Promise<void> {
    return this.cni.close();
  }

  /** A pod whose ADD is done. */
  async attachPod(): Promise<Pod> {
    const pod = await this.cni.makePod();
    const { code, stdout, stderr } = await runProcess(this.buildCall("ADD", pod));
    if (code !== 0) throw new Error(`the ADD failed: ${stdout}${stderr}`);
    return pod;
  }

  buildCall(command: AttachmentCommand, pod: Pod): ProcessRun {
    return this.#build(buildVariables(command, pod), pod.runtimeConfig);
  }

  /** VERSION and STATUS. */
  buildPlainCall(command: "VERSION" | "STATUS"): ProcessRun {
    return this.#build({ CNI_COMMAND: command, CNI_PATH: "/opt/cni/bin" }, {});
  }

  /** The plugin's configuration object as the program gets it. */
  input(): JsonObject {
    return this.cni.buildInput({}, {});
  }

  #build(variables: Readonly<Record<string, string>>, runtimeConfig: JsonObject): ProcessRun {
    const env = { HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: this.cni.emulator.address, ...variables };
    return { program: this.#program, env, stdin: JSON.stringify(this.cni.buildInput({}, runtimeConfig)) };
  }
}

/** ADD and DEL of one pod after the other: the DEL of a round takes back its ADD. One that is repeated gets a pod of its own. */
export function alternate(node: BenchNode): Readonly<Record<"add" | "del", BuildRun>> {
  let pod: Pod | undefined;
  return {
    add: async () => {
      pod = await node.cni.makePod();
      return node.buildCall("ADD", pod);
    },
    del: async () => {
      const current = pod ?? (await node.attachPod());
      pod = undefined;
      return node.buildCall("DEL", current);
    },
  };
}
