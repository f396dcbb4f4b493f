const CASE = /^(TC_\d+(?:_\d+)?)_CSMS /;
const CASES = 77;

/** Says after a run how many cases of OCA's compliancy test tool (Central System) have passed. */
export default class OcttReporter {
  onRunComplete(_contexts, { testResults }) {
    const results = testResults
      .flatMap(({ testResults: tests }) => tests)
      .filter(({ title }) => CASE.test(title));
    if (results.length === 0) return;
    const named = (status) => [
      ...new Set(results.filter((test) => test.status === status).map(({ title }) => CASE.exec(title)[1])),
    ];
    console.log(`OCTT ${named('passed').length} of ${CASES}`);
    if (named('failed').length > 0) console.log(`  failed: ${named('failed').join(', ')}`);
    if (named('todo').length > 0) console.log(`  with TLS: ${named('todo').join(', ')}`);
  }
}
