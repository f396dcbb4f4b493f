import type { IdTagInfo } from '@evander/ocpp';
import type { Station } from './station.ts';

/** What is known of a tag. */
export type TagStatus = IdTagInfo['status'];

/** Who may charge: asks the manager, and while offline decides by what it answered before. */
export class Authorization {
  /** What the manager said of each tag; ClearCache empties it. */
  readonly cache = new Map<string, IdTagInfo>();
  readonly #station: Station;

  constructor(station: Station) {
    this.#station = station;
  }

  /** The group of a tag, as far as it is known here. */
  parentOf(idTag: string): string | undefined {
    const info = this.cache.get(idTag.toLowerCase()) ?? this.#station.localList.find(idTag);
    return info?.parentIdTag;
  }

  /** Asks the manager, unless the station is offline or may decide before it asks. */
  async authorize(idTag: string): Promise<TagStatus> {
    const { configuration, localList } = this.#station;
    if (configuration.isTrue('LocalPreAuthorize') && localList.find(idTag)?.status === 'Accepted')
      return 'Accepted';
    if (!this.#station.mayReport) return this.#decideOffline(idTag);
    try {
      const { idTagInfo } = await this.#station.call('Authorize', { idTag });
      this.cache.set(idTag.toLowerCase(), idTagInfo);
      return idTagInfo.status;
    } catch {
      return this.#decideOffline(idTag);
    }
  }

  #decideOffline(idTag: string): TagStatus {
    const { configuration } = this.#station;
    if (!configuration.isTrue('LocalAuthorizeOffline')) return 'Invalid';
    const known = this.#station.localList.find(idTag) ?? this.cache.get(idTag.toLowerCase());
    return known?.status ?? (configuration.isTrue('AllowOfflineTxForUnknownId') ? 'Accepted' : 'Invalid');
  }
}
