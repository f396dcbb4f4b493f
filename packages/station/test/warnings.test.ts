import { expect, test } from '@jest/globals';
import { runSource } from '../../../test/run-source.ts';
import { Manager } from './manager.ts';
import { closeLater } from './setup.ts';

test('many connectors that wait at the same time are no sign of a leak for Node.js', async () => {
  const manager = closeLater(await new Manager().listen());
  manager.answers.Authorize = () => ({ idTagInfo: { status: 'Invalid' } });
  const own = { url: manager.url, stations: 6, connectors: 3, rampPerSecond: 1000 };
  const { code, output } = await runSource(`
    import { Fleet } from '@evander/station';
    process.on('warning', ({ message }) => console.log(message));
    const fleet = new Fleet({ ...${JSON.stringify(own)}, refusedPauseMs: { minMs: 60_000, maxMs: 60_000 } });
    void fleet.start();
    while (fleet.statistics().sessionsRefused < 18) await new Promise((resolve) => setTimeout(resolve, 20));
    await fleet.stop();
    process.exit();
  `);
  expect({ code, output }).toEqual({ code: 0, output: '' });
});
