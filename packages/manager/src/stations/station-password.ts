import { hashStationPassword } from '@evander/process';

/** Is a password the hexadecimal form of an AuthorizationKey of 16 to 20 bytes (ocppj.md AUT.4)? */
export function isAuthorizationKeyText(password: string): boolean {
  return /^(?:[\da-f]{2}){16,20}$/i.test(password);
}

/** Hashes of all forms in which a station may send its password: the bytes of a key, or its digits in either case (AUT.3 to AUT.6). */
export function passwordHashes(password: string, stationId: string, pepper: string): string[] {
  const forms = isAuthorizationKeyText(password)
    ? [
        Buffer.from(password, 'hex'),
        ...[password, password.toLowerCase(), password.toUpperCase()].map((text) => Buffer.from(text)),
      ]
    : [Buffer.from(password)];
  return [...new Set(forms.map((form) => hashStationPassword(form, stationId, pepper)))];
}
