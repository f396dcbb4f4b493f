import type { IdTagInfo } from '@evander/ocpp';
import type { Caller, StationContext } from '../context/station-context.ts';
import type { LocalList } from './local-list.ts';

/** What it needs of its station. */
export type AuthorizationContext = StationContext & Caller & { readonly localList: Pick<LocalList, 'find'> };

/** What is known of a tag. */
export type TagStatus = IdTagInfo['status'];

/** Who may charge: asks the manager, and while offline decides by what it answered before. */
export class Authorization {
  /** What the manager said of each tag; ClearCache empties it. */
  readonly cache = new Map<string, IdTagInfo>();
  readonly #station: AuthorizationContext;

  constructor(station: AuthorizationContext) {
    this.#station = station;
  }

  /** The group of a tag, as far as it is known here. */
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

  /** Keeps what the manager said of a tag. */
  learn(idTag: string, info: IdTagInfo): void {
    this.cache.set(idTag.toLowerCase(), info);
  }

  /** The list comes before the cache (1.6 §3.5.3); an entry past its date says nothing. */
  #known(idTag: string): IdTagInfo | undefined {
    const { configuration, localList } = this.#station;
    const isCached = configuration.isTrue('AuthorizationCacheEnabled');
    const info = localList.find(idTag) ?? (isCached ? this.cache.get(idTag.toLowerCase()) : undefined);
    const isPast = info?.expiryDate && Date.parse(info.expiryDate) <= Date.parse(this.#station.timestamp());
    return isPast ? undefined : info;
  }

  /** By the local list and the cache (1.6 §3.5). */
  decideOffline(idTag: string): TagStatus {
    const { configuration } = this.#station;
    if (!configuration.isTrue('LocalAuthorizeOffline')) return 'Invalid';
    const isUnknownAllowed = configuration.isTrue('AllowOfflineTxForUnknownId');
    return this.#known(idTag)?.status ?? (isUnknownAllowed ? 'Accepted' : 'Invalid');
  }
}
