const { isLong } = require('./long-tests.cjs');

/** Jest's --filter: all test files but the long ones. */
module.exports = (paths) => ({ filtered: paths.filter((path) => !isLong(path)) });
