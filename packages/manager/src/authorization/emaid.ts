/** Country, provider, instance and an optional check digit, with or without hyphens (ISO 15118-2, annex H). */
const EMAID = /^([a-z]{2})-?([a-z\d]{3})-?([a-z\d]{9})(?:-?([a-z\d]))?$/;

/** The form in which eMAIDs are compared: lower case, without `-` and check digit; undefined if `text` is not an eMAID (PnC.6). */
export function emaidKey(text: string): string | undefined {
  const parts = EMAID.exec(text.toLowerCase());
  return parts ? parts.slice(1, 4).join('') : undefined;
}

/** The forms in which stations may send an eMAID, in lower case; with a check digit only if `text` has one. Empty if it is not an eMAID. */
export function emaidForms(text: string): string[] {
  const parts = EMAID.exec(text.toLowerCase());
  if (!parts) return [];
  const [country, provider, instance, check] = parts.slice(1);
  const bare = [country, provider, instance];
  const forms = check === undefined ? [bare] : [bare, [...bare, check]];
  return forms.flatMap((form) => [form.join(''), form.join('-')]);
}
