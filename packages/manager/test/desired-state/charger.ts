import type { CallEnvelope } from '@evander/broker';
import type { SendLocalListRequest } from '@evander/ocpp';
import { expect } from '@jest/globals';
import type { StationAnswer } from '../test-manager.ts';

/** A station with a local list that follows the specification. */
export class Charger {
  version = 0;
  readonly entries = new Map<string, string>();
  limits: Record<string, string> = { SendLocalListMaxLength: '3', LocalAuthListMaxLength: '100' };
  /** Answers that replace its own. */
  overrides: Record<string, StationAnswer | undefined> = {};
  readonly versions: number[] = [];

  readonly answer = ({ action, request }: CallEnvelope): StationAnswer | undefined => {
    if (action in this.overrides) return this.overrides[action];
    if (action === 'GetConfiguration')
      return {
        configurationKey: Object.entries(this.limits).map(([key, value]) => ({
          key,
          value,
          readonly: key.endsWith('MaxLength'),
        })),
      };
    if (action === 'GetLocalListVersion') return { listVersion: this.version };
    return { status: this.#update(request as unknown as SendLocalListRequest) };
  };

  #update({ updateType, listVersion, localAuthorizationList = [] }: SendLocalListRequest): string {
    expect(localAuthorizationList.length).toBeLessThanOrEqual(Number(this.limits.SendLocalListMaxLength));
    if (updateType === 'Full') this.entries.clear();
    else if (listVersion <= this.version) return 'VersionMismatch';
    for (const { idTag, idTagInfo } of localAuthorizationList) {
      if (idTagInfo) this.entries.set(idTag, idTagInfo.status);
      else this.entries.delete(idTag);
    }
    expect(this.entries.size).toBeLessThanOrEqual(Number(this.limits.LocalAuthListMaxLength));
    this.version = listVersion;
    this.versions.push(listVersion);
    return 'Accepted';
  }

  get idTags(): string {
    return [...this.entries.keys()].sort().join('');
  }
}

/** A summary of the calls that a station was sent. */
export const summary = (calls: CallEnvelope[]) =>
  calls.map(({ action, request }) =>
    action === 'SendLocalList'
      ? `${String(request.updateType)} ${(
          (request.localAuthorizationList ?? []) as { idTag: string; idTagInfo?: object }[]
        )
          .map(({ idTag, idTagInfo }) => (idTagInfo ? `+${idTag}` : `-${idTag}`))
          .join('')}`
      : action,
  );
