import type { AuthorizeResponse } from '@evander/ocpp';
import type { Tag } from './tags.store.ts';

export type IdTagInfo = AuthorizeResponse['idTagInfo'];

/** The idTagInfo of a tag (1.6 §7.2, §7.27). Never `ConcurrentTx`: only StartTransaction uses that. */
export function idTagInfoOf(tag: Tag | undefined, now: Date): IdTagInfo {
  if (!tag) return { status: 'Invalid' };
  const group = tag.parentIdTag === null ? {} : { parentIdTag: tag.parentIdTag };
  const expiry = tag.expiryDate === null ? {} : { expiryDate: tag.expiryDate.toISOString() };
  if (tag.status === 'Blocked') return { ...expiry, ...group, status: 'Blocked' };
  if (tag.expiryDate !== null && tag.expiryDate <= now) return { ...expiry, ...group, status: 'Expired' };
  return { ...expiry, ...group, status: 'Accepted' };
}
