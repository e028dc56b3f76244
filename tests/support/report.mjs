// Turns a JSON report of vitest or playwright into lines `passed|failed|skipped<TAB>name<TAB>reason`.
// Used by tests/run only. A file or suite that could not even start counts as one failed test.
import { readFileSync } from 'node:fs'

const [kind, path] = process.argv.slice(2)
const report = JSON.parse(readFileSync(path, 'utf8'))
const clean = (text) => String(text ?? '').replace(/\u001b\[[0-9;]*m/g, '').replace(/\s+/g, ' ').trim()
const say = (how, name, reason = '') => console.log([how, clean(name), clean(reason).slice(0, 300)].join('\t'))

function vitest() {
  for (const file of report.testResults ?? []) {
    const name = file.name.split('/dashboards/web/').pop()
    for (const test of file.assertionResults) {
      const how = { passed: 'passed', failed: 'failed' }[test.status] ?? 'skipped'
      const reason = how === 'skipped' ? `marked ${test.status}` : test.failureMessages?.[0]
      say(how, `${name}: ${test.fullName}`, how === 'passed' ? '' : reason)
    }
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) {
      say('failed', name, file.message || 'the file did not run')
    }
  }
}

function playwright() {
  const missing = process.env.NO_BROWSER
  const walk = (suite, above) => {
    for (const spec of suite.specs ?? []) {
      const name = [...above, spec.title].join(' > ')
      for (const test of spec.tests) {
        const result = test.results?.at(-1)
        if (missing) say('skipped', name, missing)
        else if (test.status === 'skipped') {
          say('skipped', name, test.annotations?.find((note) => note.description)?.description ?? 'marked skipped')
        } else if (test.status === 'expected') say('passed', name)
        // A test that passed only when repeated is one that depends on luck.
        else say('failed', name, test.status === 'flaky' ? 'flaky' : (result?.error?.message ?? test.status))
      }
    }
    for (const inner of suite.suites ?? []) walk(inner, [...above, inner.title])
  }
  for (const suite of report.suites ?? []) walk(suite, [suite.title])
  for (const error of report.errors ?? []) say('failed', 'playwright', error.message)
}

if (kind === 'vitest') vitest()
else if (kind === 'playwright') playwright()
else throw new Error(`unknown kind of report: ${kind}`)
