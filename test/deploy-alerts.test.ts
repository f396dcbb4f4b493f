import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
// The name of an alert and what promtool must find at a time: nothing, or the lines that follow.
const EXPECTED = /alertname: (\w+),?\s+eval_time: \w+,?\s+exp_alerts:( \[\])?/g;

test('promtool tests each alert firing and not firing', () => {
  const alerts = [...read('deploy/prometheus/alerts.yml').matchAll(/- alert: (\w+)/g)].map(
    ([, name]) => name,
  );
  const tests = [...read('deploy/prometheus/alerts.test.yml').matchAll(EXPECTED)];
  const named = (isQuiet: boolean) =>
    [
      ...new Set(tests.filter(([, , none]) => (none !== undefined) === isQuiet).map(([, name]) => name)),
    ].sort();
  expect(alerts.length).toBeGreaterThan(0);
  expect(named(false)).toEqual(alerts.sort());
  expect(named(true)).toEqual(alerts);
});

test('Compose and the chart use the same alerts file', () => {
  expect(read('deploy/prometheus/alerts.yml')).toBe(read('deploy/helm/evander/alerts.yml'));
  expect(read('docker-compose.yml')).toContain(
    './deploy/prometheus/alerts.yml:/etc/prometheus/alerts.yml:ro',
  );
  expect(read('deploy/helm/evander/templates/prometheus-rule.yaml')).toContain('.Files.Get "alerts.yml"');
});
