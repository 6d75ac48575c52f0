import { decodeAnswer, encodeOrder, Launcher, launcherReason } from "../../bench/launcher.ts";
import { describeUnless } from "../../support/skip.ts";

describe("an order", () => {
  it("has program, variables and input, each with its length before it", () => {
    const order = encodeOrder({ program: "/p", env: { A: "1", B: "ü" }, stdin: "in" });
    expect(order).toEqual(Buffer.from("\x02\0\0\0/p" + "\x09\0\0\0A=1\0B=\xc3\xbc\0" + "\x02\0\0\0in", "latin1"));
  });

  it("may have neither variables nor input", () => {
    expect(encodeOrder({ program: "/p" })).toEqual(Buffer.from("\x02\0\0\0/p" + "\0\0\0\0" + "\0\0\0\0", "latin1"));
  });
});

describe("an answer", () => {
  const bytes = Buffer.from("\x03\0\0\0" + "\xdc\x05\0\0" + "\x02\0\0\0" + "\xc3\xbc", "latin1");

  it("has exit code, microseconds and output, and leaves what follows", () => {
    const answer = decodeAnswer(Buffer.concat([bytes, Buffer.from("next")]));
    expect(answer?.end).toEqual({ code: 3, ms: 1.5, stdout: "ü" });
    expect(answer?.rest.toString()).toBe("next");
  });

  it("is waited for until it is whole", () => {
    for (let length = 0; length < bytes.length; length++) expect(decodeAnswer(bytes.subarray(0, length))).toBeUndefined();
    expect(decodeAnswer(bytes)?.rest).toHaveLength(0);
  });
});

describeUnless(launcherReason(), "the launcher on Linux", () => {
  let launcher: Launcher;

  beforeAll(async () => {
    launcher = await Launcher.startOnLinux();
  }, 60_000);

  afterAll(() => launcher.close());

  it("gives a program its input and its whole environment, and tells code, output and time", async () => {
    const input = "x".repeat(60_000);
    expect(await launcher.run({ program: "/bin/cat", stdin: input })).toMatchObject({ code: 0, stdout: input });
    const end = await launcher.run({ program: "/usr/bin/env", env: { ONE: "1", TWO: "ü = 2" } });
    expect(end).toMatchObject({ code: 0, stdout: "ONE=1\nTWO=ü = 2\n" });
    expect(end.ms).toBeGreaterThan(0);
  });

  it("does not keep a program's variables for the next", async () => {
    await launcher.run({ program: "/usr/bin/env", env: { OLD: "1" } });
    expect((await launcher.run({ program: "/usr/bin/env" })).stdout).toBe("");
  });

  it("passes over an input that nobody reads", async () => {
    expect(await launcher.run({ program: "/bin/true", stdin: "x".repeat(60_000) })).toMatchObject({ code: 0, stdout: "" });
  });

  it("tells a failure from a success", async () => {
    expect((await launcher.run({ program: "/bin/false" })).code).toBe(1);
    await expect(launcher.demand({ program: "/bin/false" })).rejects.toThrow("exit code 1");
    await expect(launcher.run({ program: "/no/such/program" })).rejects.toThrow("/no/such/program could not be started");
    await expect(launcher.run({ program: "/bin/cat", stdin: "x".repeat(60_001) })).rejects.toThrow("could not be started");
  });

  it("says that it has ended to who waits for it", async () => {
    const other = await Launcher.startOnLinux();
    await other.close();
    await expect(other.run({ program: "/bin/true" })).rejects.toThrow("the launcher has ended");
  });
});
