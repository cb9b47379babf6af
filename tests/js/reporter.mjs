// Says little while tests hold, and closes with a line like that of Rust's test runner, which `cargo xtask test` adds up.

export default async function* report(events) {
  let [passed, failed, skipped] = [0, 0, 0]
  for await (const { type, data } of events) {
    const suite = data?.details?.type === 'suite'
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message
    if (type === 'test:diagnostic' && data.nesting > 0) yield `  ${data.message}\n`
    if (type === 'test:pass' && data.skip !== undefined) skipped++
    else if (type === 'test:pass' && !suite) passed++
    if (type === 'test:pass' && data.nesting === 0) yield `${data.name} … ok\n`
    if (type === 'test:fail') {
      const { error } = data.details
      // A suite fails with its tests, which have been counted; one that failed by itself counts.
      if (suite && error?.failureType === 'subtestsFailed') continue
      failed++
      yield `${data.file ?? ''}: ${data.name} … FAILED\n${error?.cause?.stack ?? error?.message ?? error}\n`
    }
  }
  yield `test result: ${failed === 0 ? 'ok' : 'FAILED'}. ${passed} passed; ${failed} failed; ${skipped} ignored; 0 measured; 0 filtered out\n`
}
