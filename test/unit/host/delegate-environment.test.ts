import { delegateEnvironment } from "../../../src/host/exec/delegate-environment.ts";

test("what the system gives every program is there in any case, the call's variables over it, and nothing of the service's own", () => {
  const service = {
    Path: "C:\\Windows\\system32",
    SystemRoot: "C:\\Windows",
    "ProgramFiles(x86)": "C:\\Program Files (x86)",
    TEMP: "C:\\Windows\\TEMP",
    NODE_OPTIONS: "--inspect",
    NODE_EXTRA_CA_CERTS: "ca.pem",
    UV_THREADPOOL_SIZE: "32",
    HNS_CNI_SOCKET: "elsewhere",
    AZURE_CLIENT_SECRET: "secret",
    CNI_PATH: "stale",
    CNI_CONTAINERID: "of the service",
  };
  const call = { CNI_COMMAND: "ADD", CNI_PATH: "C:\\cni\\bin", TRACEPARENT: "00-1-2-01" };
  expect(delegateEnvironment(service, call)).toEqual({
    Path: "C:\\Windows\\system32",
    SystemRoot: "C:\\Windows",
    "ProgramFiles(x86)": "C:\\Program Files (x86)",
    TEMP: "C:\\Windows\\TEMP",
    ...call,
  });
});
