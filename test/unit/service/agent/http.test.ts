import { Counter, Registry } from "prom-client";
import { AgentHttp, type Readiness } from "../../../../src/service/agent/http.ts";

describe("the agent's http port", () => {
  let http: AgentHttp;
  let url: string;
  let readiness: Readiness;

  beforeEach(async () => {
    const registry = new Registry();
    new Counter({ name: "things_total", help: "Things.", registers: [registry] }).inc(3);
    readiness = { isReady: false, reason: "starting" };
    http = new AgentHttp({ port: 0, registry, readiness: () => readiness });
    url = `http://127.0.0.1:${await http.start()}`;
  });
  afterEach(() => http.close());

  test("serves metrics in Prometheus' form", async () => {
    const answer = await fetch(`${url}/metrics?x=1`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(await answer.text()).toContain("\nthings_total 3\n");
  });

  test("is healthy while it answers, and ready only when the agent is", async () => {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const early = await fetch(`${url}/readyz`);
    expect([early.status, await early.text()]).toEqual([503, "not ready: starting\n"]);
    readiness = { isReady: true };
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  test("knows no other path and no other method", async () => {
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: "POST", body: "x" })).status).toBe(405);
  });

  test("a port that is taken is told", async () => {
    const port = Number(new URL(url).port);
    const other = new AgentHttp({ port, registry: new Registry(), readiness: () => readiness });
    await expect(other.start()).rejects.toThrow("EADDRINUSE");
  });
});
