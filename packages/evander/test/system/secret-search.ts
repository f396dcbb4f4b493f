/** Searches all written text for secrets in all their possible forms. */
export class SecretSearch {
  readonly #secrets = new Map<string, string>();
  readonly #texts: [where: string, text: string][] = [];

  /** Adds a secret and its name in the findings. */
  add(name: string, secret: string): string {
    this.#secrets.set(name, secret);
    return secret;
  }

  search(where: string, text: string): void {
    this.#texts.push([where, text]);
  }

  /** How often a non-secret text was written: proves that the search sees the text. */
  count(text: string): number {
    return this.#texts.filter(([, whole]) => whole.includes(text)).length;
  }

  /** `name as form in place: …context`; empty if nothing leaked. */
  findings(): string[] {
    const found: string[] = [];
    for (const [name, secret] of this.#secrets) {
      for (const [form, written] of Object.entries(formsOf(secret))) {
        for (const [where, text] of this.#texts) {
          const at = text.toLowerCase().indexOf(written.toLowerCase());
          if (at >= 0)
            found.push(`${name} as ${form} in ${where}: …${text.slice(Math.max(0, at - 150), at + 20)}…`);
        }
      }
    }
    return found;
  }
}

function formsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret);
  // Base64 depends on the neighbouring bytes: the same bytes at three offsets.
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return text.slice(shift === 0 ? 0 : 4, -4);
  });
  return {
    itself: secret,
    JSON: JSON.stringify(secret).slice(1, -1),
    'JSON within JSON': JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
    'a percent-encoded text': encodeURIComponent(secret),
    hexadecimal: bytes.toString('hex'),
    'a list of bytes': [...bytes].join(','),
    'Base64 (1)': base64[0] ?? '',
    'Base64 (2)': base64[1] ?? '',
    'Base64 (3)': base64[2] ?? '',
    'hexadecimal bytes': /^(?:[\da-f]{2}){8,}$/i.test(secret)
      ? Buffer.from(secret, 'hex').toString('base64').replaceAll('=', '')
      : secret,
  };
}
