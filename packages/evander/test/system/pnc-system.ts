import type { ManagerOptions } from '@evander/manager';
import type { Dialect } from '@evander/ocpp';
import { Station } from '@evander/station';
import { openPki } from '../../../manager/test/plug-and-charge/pnc-pki.ts';
import type { TestPki } from '../../../manager/test/plug-and-charge/pnc-pki.ts';
import { apiOf, startServices } from './fixture.ts';

export const DIALECTS = ['oca', 'has2be'] as const satisfies Dialect[];

/** Evander with a trusted mobility operator and stations that support Plug & Charge. */
export interface PncSystem {
  mo: TestPki;
  api: ReturnType<typeof apiOf>;
  apiUrl: string;
  items(path: string): Promise<Record<string, unknown>[]>;
  /** A station that has booted. */
  booted(pnc: Dialect): Promise<Station>;
  /** Closes the stations; returns the violations in what they received. */
  closeStations(): Promise<unknown[]>;
  close(): Promise<void>;
}

export async function openPncSystem(plugAndCharge: ManagerOptions['plugAndCharge'] = {}): Promise<PncSystem> {
  const mo = await openPki('mo');
  const services = await startServices();
  const manager = await services.startManager({ plugAndCharge });
  const gateway = await services.startGateway([manager]);
  const api = apiOf(manager.apiUrl);
  for (const certificate of [mo.root.pem, mo.sub.pem])
    await api('PUT', '/pnc-roots', { certificateType: 'MORootCertificate', certificate });
  let count = 0;
  const open: Station[] = [];
  return {
    mo,
    api,
    apiUrl: manager.apiUrl,
    items: async (path) => (await api('GET', path)).body?.items as Record<string, unknown>[],
    booted: async (pnc) => {
      const stationId = `PNC-${(count += 1)}`;
      const station = new Station({ stationId, url: gateway.url, pnc, speed: Infinity });
      open.push(station);
      await station.connect();
      await station.boot();
      return station;
    },
    closeStations: async () => {
      const closed = open.splice(0);
      for (const station of closed) await station.close();
      return closed.flatMap(({ violations }) => violations);
    },
    close: async () => {
      await services.close();
      await mo.close();
    },
  };
}
