import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Station } from '@evander/station';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashDataOf } from '../../../manager/test/plug-and-charge/pnc-pki.ts';
import { eventually } from './fixture.ts';
import type { Answer } from './fixture.ts';
import { DIALECTS, openPncSystem } from './pnc-system.ts';
import type { PncSystem } from './pnc-system.ts';

let system: PncSystem;
let v2gRoot: string;
beforeAll(async () => {
  system = await openPncSystem();
  v2gRoot = await (await fetch(`${system.apiUrl}/pki/v2g-root.pem`)).text();
}, 60_000);
afterEach(async () => expect(await system.closeStations()).toEqual([]));
afterAll(() => system.close());

/** Sends a tunnelled command; returns the inner answer. */
async function command(station: Station, action: string, body: object): Promise<Answer['body']> {
  const answer = await system.api('POST', `/stations/${station.stationId}/pnc-commands/${action}`, body);
  expect(answer).toMatchObject({ status: 200, body: { action: 'DataTransfer', status: 'answered' } });
  return answer.body?.tunnelled as Answer['body'];
}

/** How openssl evaluates a V2G certificate. */
function evaluationOf(chain: string): string {
  const [root, leaf] = [
    join(system.mo.sub.folder, 'v2g-root.pem'),
    join(system.mo.sub.folder, 'v2g-leaf.pem'),
  ];
  writeFileSync(root, v2gRoot);
  writeFileSync(leaf, chain);
  return execFileSync('openssl', ['verify', '-CAfile', root, leaf]).toString();
}

test.each(DIALECTS)('%s: a station requests its V2G certificate, and again when told to', async (dialect) => {
  const station = await system.booted(dialect);
  const { own } = station.pnc.certificates;
  expect(await station.pnc.signCertificate()).toEqual({ status: 'Accepted' });
  await eventually(() => expect(own.current).toBeDefined());
  const first = own.current?.chain ?? '';
  expect(evaluationOf(first)).toContain('OK');
  const requests = `/stations/${station.stationId}/pnc-certificate-requests`;
  await eventually(async () =>
    expect(await system.items(requests)).toMatchObject([{ dialect, state: 'installed' }]),
  );
  expect(await system.items(`/stations/${station.stationId}/pnc-certificates`)).toMatchObject([
    { certificateType: 'V2GCertificateChain', pem: expect.stringContaining('BEGIN CERTIFICATE') },
  ]);

  expect(await command(station, 'TriggerMessage', {})).toMatchObject({
    dialect,
    messageId: dialect === 'oca' ? 'TriggerMessage' : 'ExtendedTriggerMessage',
    response: { status: 'Accepted' },
  });
  await eventually(() => expect(own.current?.chain).not.toBe(first));
  expect(evaluationOf(own.current?.chain ?? '')).toContain('OK');
  await eventually(async () =>
    expect((await system.items(requests)).map(({ state }) => state)).toEqual(['installed', 'installed']),
  );
});

test.each(DIALECTS)('%s: roots are installed, listed and deleted', async (dialect) => {
  const station = await system.booted(dialect);
  // This shows the managers its dialect.
  await station.pnc.signCertificate();
  const known = `/stations/${station.stationId}/pnc-certificates`;
  const types = async () => (await system.items(known)).map(({ certificateType }) => certificateType).sort();
  await eventually(async () => expect(await types()).toEqual(['V2GCertificateChain']));
  const install = (certificateType: string, certificate: string) =>
    command(station, 'InstallCertificate', { certificateType, certificate });
  const accepted = { dialect, status: 'Accepted', response: { status: 'Accepted' } };
  expect(await install('MORootCertificate', system.mo.root.pem)).toMatchObject(accepted);
  expect(await install('V2GRootCertificate', v2gRoot)).toMatchObject(accepted);
  expect(await types()).toEqual(['MORootCertificate', 'V2GCertificateChain', 'V2GRootCertificate']);

  const certificateType = ['MORootCertificate'];
  const list = () => command(station, 'GetInstalledCertificateIds', { certificateType });
  const [held] = station.pnc.certificates.list(['MORootCertificate']);
  expect(await list()).toMatchObject({ response: { status: 'Accepted', certificateHashDataChain: [held] } });
  const { certificateHashData } = held ?? {};
  const remove = () => command(station, 'DeleteCertificate', { certificateHashData });
  expect(await remove()).toMatchObject(accepted);
  expect(await list()).toMatchObject({ response: { status: 'NotFound' } });
  expect(await remove()).toMatchObject({ response: { status: 'NotFound' } });
  expect(await types()).toEqual(['V2GCertificateChain', 'V2GRootCertificate']);
});

test.each(DIALECTS)(
  "%s: a responder's status for a certificate is delivered to the station",
  async (dialect) => {
    const station = await system.booted(dialect);
    const leaf = system.mo.contract('a charger');
    const responderURL = `${system.mo.responder.url}/sub`;
    const ask = (at: string) =>
      station.pnc.getCertificateStatus({ ...hashDataOf(leaf, system.mo.sub, {}), responderURL: at });
    const answer = await ask(responderURL);
    expect(answer).toMatchObject({ status: 'Accepted' });
    const file = join(system.mo.sub.folder, 'brought.der');
    writeFileSync(file, Buffer.from((answer as { ocspResult: string }).ocspResult, 'base64'));
    const [issuer, root] = [system.mo.sub.issued.certificateFile, system.mo.root.issued.certificateFile];
    const about = ['-sha256', '-respin', file, '-issuer', issuer, '-cert', leaf.certificateFile];
    const trusting = ['-no_nonce', '-CAfile', root, '-verify_other', issuer];
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const evaluation = execFileSync('openssl', ['ocsp', ...about, ...trusting], { stdio: [...stdio] });
    expect(evaluation.toString()).toContain(': good');
    const other = {
      ...hashDataOf(system.mo.contract('another'), system.mo.sub, {}),
      responderURL: `${system.mo.responder.url}/gone`,
    };
    expect(await station.pnc.getCertificateStatus(other)).toEqual({ status: 'Failed' });
  },
);
