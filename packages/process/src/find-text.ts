/** A range of a text, from `start` up to but not including `end`, in UTF-16 units. */
export interface Range {
  start: number;
  end: number;
}

/**
 * Returns a function that finds all occurrences of a pattern in a text; overlapping ones are merged. It uses Knuth–Morris–Pratt, so the
 * time is proportional to the text: indexOf needs text × pattern for `baaa…` in `aaaa…`.
 */
export function finderOf(pattern: string): (text: string) => Range[] {
  const borders = bordersOf(pattern);
  return (text) => {
    const found: Range[] = [];
    let matched = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      while (matched > 0 && unit !== pattern.charCodeAt(matched)) matched = borders[matched - 1] ?? 0;
      if (unit === pattern.charCodeAt(matched)) matched++;
      if (matched < pattern.length) continue;
      found.push({ start: i + 1 - matched, end: i + 1 });
      matched = 0;
    }
    return found;
  };
}

/** For each prefix of the pattern, the length of its longest proper prefix that is also a suffix. */
function bordersOf(pattern: string): Uint32Array {
  const borders = new Uint32Array(pattern.length);
  for (let i = 1, length = 0; i < pattern.length; i++) {
    const unit = pattern.charCodeAt(i);
    while (length > 0 && unit !== pattern.charCodeAt(length)) length = borders[length - 1] ?? 0;
    if (unit === pattern.charCodeAt(length)) length++;
    borders[i] = length;
  }
  return borders;
}
