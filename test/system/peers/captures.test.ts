/** The stored documents are those that the plugins send today. */
import { readFileSync } from "node:fs";
import { EmulatorClient } from "../../emulator/client.ts";
import { peersReason } from "../../peers/build.ts";
import { captureFile, captureKinds, captureRival } from "../../peers/captures.ts";
import { Rival } from "../../peers/rival.ts";
import { startPeersWine } from "../../peers/runtime-host.ts";
import { describeUnless } from "../../support/skip.ts";
import { wineReason, type WineMachine } from "../../support/wine.ts";

describeUnless(wineReason() ?? peersReason(), "captures of the reference plugins", () => {
  let machine: WineMachine;
  let emulator: EmulatorClient;

  beforeAll(async () => {
    machine = await startPeersWine();
    emulator = await EmulatorClient.start();
  }, 240_000);
  afterAll(() => emulator.close());

  it.each(captureKinds)("$name sends by interface $apiVersion what is stored (npm run peers -- capture stores it anew)", async (kind) => {
    await emulator.reset();
    const rival = new Rival(kind, { machine, emulator });
    try {
      expect(await captureRival(rival)).toEqual(JSON.parse(readFileSync(captureFile(kind), "utf8")));
    } finally {
      rival.close();
    }
  });
});
