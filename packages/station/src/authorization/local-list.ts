import type { IdTagInfo, Requests, Responses } from '@evander/ocpp';
import type { Configuration } from '../configuration/configuration.ts';

type Update = Requests['SendLocalList'];

/** The tags that the station accepts without asking (1.6 §3.5.2). */
export class LocalList {
  /** 0 while it is empty. */
  version = 0;
  readonly entries = new Map<string, IdTagInfo>();
  readonly #configuration: Configuration;

  constructor(configuration: Configuration) {
    this.#configuration = configuration;
  }

  get isSupported(): boolean {
    return this.#configuration.has('LocalAuthListManagement');
  }

  /** The list's entry for a tag; undefined if the list is disabled or has no entry. */
  find(idTag: string): IdTagInfo | undefined {
    if (!this.isSupported || !this.#configuration.isTrue('LocalAuthListEnabled')) return undefined;
    return this.entries.get(idTag.toLowerCase());
  }

  /** §5.15: the list changes only if the update is accepted. */
  update(request: Update): Responses['SendLocalList']['status'] {
    const { listVersion, updateType, localAuthorizationList: sent = [] } = request;
    if (!this.isSupported) return 'NotSupported';
    const names = new Set(sent.map(({ idTag }) => idTag.toLowerCase()));
    const isFull = updateType === 'Full';
    if (names.size < sent.length || sent.length > this.#configuration.integer('SendLocalListMaxLength'))
      return 'Failed';
    if (isFull && sent.some(({ idTagInfo }) => !idTagInfo)) return 'Failed';
    if (!isFull && listVersion <= this.version) return 'VersionMismatch';
    const rises = sent.filter(({ idTag, idTagInfo }) => idTagInfo && !this.entries.has(idTag.toLowerCase()));
    const falls = sent.filter(({ idTag, idTagInfo }) => !idTagInfo && this.entries.has(idTag.toLowerCase()));
    const size = isFull ? sent.length : this.entries.size + rises.length - falls.length;
    if (size > this.#configuration.integer('LocalAuthListMaxLength')) return 'Failed';
    if (isFull) this.entries.clear();
    for (const { idTag, idTagInfo } of sent) {
      if (idTagInfo) this.entries.set(idTag.toLowerCase(), idTagInfo);
      else this.entries.delete(idTag.toLowerCase());
    }
    this.version = listVersion;
    return 'Accepted';
  }
}
