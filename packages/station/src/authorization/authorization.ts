import type { IdTagInfo } from '@evander/ocpp';
import type { Caller, StationContext } from '../context/station-context.ts';
import type { LocalList } from './local-list.ts';

/** Parts of the station that it uses. */
export type AuthorizationContext = StationContext & Caller & { readonly localList: Pick<LocalList, 'find'> };

/** The status of a tag. */
export type TagStatus = IdTagInfo['status'];

/** Decides who may charge: asks the manager, or while offline uses its earlier answers. */
export class Authorization {
  /** The manager's last answer about each tag; ClearCache empties it. */
  readonly cache = new Map<string, IdTagInfo>();
  readonly #station: AuthorizationContext;

  constructor(station: AuthorizationContext) {
    this.#station = station;
  }

  /** The group of a tag, if it is known here. */
  parentOf(idTag: string): string | undefined {
    const info = this.cache.get(idTag.toLowerCase()) ?? this.#station.localList.find(idTag);
    return info?.parentIdTag;
  }

  /** Asks the manager, unless the station is offline or may decide before it asks. */
  async authorize(idTag: string): Promise<TagStatus> {
    if (this.#station.configuration.isTrue('LocalPreAuthorize') && this.#known(idTag)?.status === 'Accepted')
      return 'Accepted';
    if (!this.#station.mayReport) return this.decideOffline(idTag);
    try {
      const { idTagInfo } = await this.#station.call('Authorize', { idTag });
      this.learn(idTag, idTagInfo);
      return idTagInfo.status;
    } catch {
      return this.decideOffline(idTag);
    }
  }

  /** Stores the manager's answer about a tag. */
  learn(idTag: string, info: IdTagInfo): void {
    this.cache.set(idTag.toLowerCase(), info);
  }

  /** The local list precedes the cache (1.6 §3.5.3); expired entries are ignored. */
  #known(idTag: string): IdTagInfo | undefined {
    const { configuration, localList } = this.#station;
    const isCached = configuration.isTrue('AuthorizationCacheEnabled');
    const info = localList.find(idTag) ?? (isCached ? this.cache.get(idTag.toLowerCase()) : undefined);
    const isPast = info?.expiryDate && Date.parse(info.expiryDate) <= Date.parse(this.#station.timestamp());
    return isPast ? undefined : info;
  }

  /** Decides by the local list and the cache (1.6 §3.5). */
  decideOffline(idTag: string): TagStatus {
    const { configuration } = this.#station;
    if (!configuration.isTrue('LocalAuthorizeOffline')) return 'Invalid';
    const isUnknownAllowed = configuration.isTrue('AllowOfflineTxForUnknownId');
    return this.#known(idTag)?.status ?? (isUnknownAllowed ? 'Accepted' : 'Invalid');
  }
}
