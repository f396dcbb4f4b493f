import type { IdTagInfo } from '@evander/ocpp';
import type { Station } from './station.ts';

/** What is known of a tag. */
export type TagStatus = IdTagInfo['status'];

/** Who may charge: asks the manager, and while offline decides by what it answered before. */
export class Authorization {
  /** What the manager said of each tag; ClearCache empties it. */
  readonly cache = new Map<string, TagStatus>();
  readonly #station: Station;

  constructor(station: Station) {
    this.#station = station;
  }

  async authorize(idTag: string): Promise<TagStatus> {
    if (!this.#station.mayReport) return this.#decideOffline(idTag);
    try {
      const { idTagInfo } = await this.#station.call('Authorize', { idTag });
      this.cache.set(idTag.toLowerCase(), idTagInfo.status);
      return idTagInfo.status;
    } catch {
      return this.#decideOffline(idTag);
    }
  }

  #decideOffline(idTag: string): TagStatus {
    const { configuration } = this.#station;
    if (!configuration.isTrue('LocalAuthorizeOffline')) return 'Invalid';
    const known = this.cache.get(idTag.toLowerCase());
    return known ?? (configuration.isTrue('AllowOfflineTxForUnknownId') ? 'Accepted' : 'Invalid');
  }
}
