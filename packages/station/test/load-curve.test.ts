import { expect, test } from '@jest/globals';
import { LoadCurve } from '../src/charging/load-curve.ts';

test('the energy is the area under the power', () => {
  const curve = new LoadCurve({ plateauW: 11_000, durationSeconds: 3600 });
  let areaWh = 0;
  for (let second = 0; second < 3600; second++) areaWh += curve.powerW(second + 0.5) / 3600;
  expect(curve.energyWh(3600)).toBeCloseTo(areaWh, 1);
  expect(curve.powerW(3601)).toBe(0);
});

test('a desired energy takes as long as it takes', () => {
  const curve = new LoadCurve({ plateauW: 22_000, energyWh: 22_000 });
  expect(curve.energyWh(curve.durationSeconds)).toBeCloseTo(22_000, 6);
  expect(curve.durationSeconds).toBeGreaterThan(3600);
});
