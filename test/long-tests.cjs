const { closeSync, openSync, readSync } = require('node:fs');

const MARK = '// Long: ';

/** A test file says in its first line that it is long, and why: `// Long: starts and kills whole processes.` */
function isLong(path) {
  const start = Buffer.alloc(MARK.length);
  const file = openSync(path);
  readSync(file, start);
  closeSync(file);
  return start.toString() === MARK;
}

/** Jest's --filter: only the long test files. */
module.exports = (paths) => ({ filtered: paths.filter(isLong) });
module.exports.isLong = isLong;
