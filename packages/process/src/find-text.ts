/** A part of a text, from `start` up to but not including `end`, in UTF-16 units. */
export interface Range {
  start: number;
  end: number;
}

/**
 * What finds every place of a word in a text, places that overlap once. By the method of Knuth, Morris and Pratt, so that its time is
 * proportional to the text: indexOf needs text × word for `baaa…` in `aaaa…`.
 */
export function finderOf(word: string): (text: string) => Range[] {
  const borders = bordersOf(word);
  return (text) => {
    const found: Range[] = [];
    let matched = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      while (matched > 0 && unit !== word.charCodeAt(matched)) matched = borders[matched - 1] ?? 0;
      if (unit === word.charCodeAt(matched)) matched++;
      if (matched < word.length) continue;
      found.push({ start: i + 1 - matched, end: i + 1 });
      matched = 0;
    }
    return found;
  };
}

/** For each beginning of the word, the length of the longest shorter beginning that it ends with. */
function bordersOf(word: string): Uint32Array {
  const borders = new Uint32Array(word.length);
  for (let i = 1, length = 0; i < word.length; i++) {
    const unit = word.charCodeAt(i);
    while (length > 0 && unit !== word.charCodeAt(length)) length = borders[length - 1] ?? 0;
    if (unit === word.charCodeAt(length)) length++;
    borders[i] = length;
  }
  return borders;
}
