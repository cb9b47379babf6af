// The live server's metrics, an OpenMetrics text, asked every two seconds while they are looked at.

import { card, fill, h } from '../../dom.js'
import { transport } from '../../engines/live.js'
import { bars, spark } from '../../parts/chart.js'
import { tone } from '../../parts/status.js'
import { milliseconds, plural } from '../../words.js'

const EVERY = 2000
const KEEP = 60
const ROUTES = { verify: 'is it good?', gateway: 'gateway', redis: 'Redis', openshift: 'OpenShift', elasticsearch: 'Elasticsearch and “/”', host: 'health and metrics', other: 'files of the page and unknown' }

/** `{ element, start, stop }`; asks as long as `isDue` says so. */
export function serverMetrics(isDue) {
  const place = h('div.prose')
  const element = card('server', 'The live server', place)
  const rates = []
  let before
  let timer
  let turns = 0

  function start(view) {
    stop()
    const mine = turns
    const turn = async () => {
      if (isDue() || !place.firstChild) await ask()
      if (mine === turns && view.isConnected) timer = setTimeout(turn, EVERY)
    }
    turn()
  }

  function stop() {
    turns += 1
    clearTimeout(timer)
  }

  async function ask() {
    const answer = await transport({ method: 'GET', path: '/metrics', headers: [] }).catch(() => ({ status: 0 }))
    if (answer.status !== 200) return fill(place, absent(answer.status))
    const samples = read(answer.text)
    const total = [...by(samples, 'waxseal_requests_total', 'route').values()].reduce((sum, value) => sum + value, 0)
    const now = performance.now()
    if (before) rates.push(Math.max(0, Math.round(((total - before.total) * 1000) / (now - before.now))))
    if (rates.length > KEEP) rates.shift()
    before = { total, now }
    fill(place, drawn(samples, total))
  }

  function drawn(samples, total) {
    const named = (map, names = {}) => [...map].filter(([, value]) => value > 0).sort(([, a], [, b]) => b - a).map(([label, value]) => ({ label: names[label] ?? label, value }))
    const logins = named(by(samples, 'waxseal_logins_total', 'result')).map(row => ({ ...row, tone: row.label === 'ok' ? 'good' : 'refused' }))
    const kdf = name => one(samples, `waxseal_kdf_${name}`)
    const derived = kdf('done_total')
    return [
      h('p', h('strong', plural(total, 'request')), ' since it was started; ', plural(one(samples, 'waxseal_connections'), 'connection'), ' open now.'),
      h('h3', 'Requests each second'), spark(rates, 'Requests each second'),
      h('h3', 'By route'), bars(named(by(samples, 'waxseal_requests_total', 'route'), ROUTES), 'Requests by route'),
      h('h3', 'By status'), bars(named(by(samples, 'waxseal_requests_total', 'status')).map(row => ({ ...row, tone: tone({ status: row.label }) })), 'Requests by status'),
      h('h3', 'How long they took'), bars(buckets(samples, 'waxseal_request_seconds').map(([end, value]) => ({ label: end === Infinity ? 'longer' : `up to ${Number((end * 1000).toPrecision(3))} ms`, value })), 'Requests by time'),
      h('h3', 'Logins'), logins.length > 0 ? bars(logins, 'Logins by result') : h('p.quiet', 'Nobody has tried yet.'),
      h('h3', 'Behind it'),
      h('dl.facts', facts([
        ['Passwords derived', `${derived.toLocaleString()}${derived ? `, ${milliseconds((kdf('busy_seconds_total') * 1000) / derived)} each` : ''}`],
        ['Waiting, running, turned away', [kdf('queued'), kdf('running'), kdf('rejected_total')].join(', ')],
        ['Commits to disk', `${one(samples, 'waxseal_store_commits_total').toLocaleString()}, ${plural(one(samples, 'waxseal_store_conflicts_total'), 'lost race')} started over`],
        ['Failures of disk, audit, engine', [one(samples, 'waxseal_store_failures_total'), one(samples, 'waxseal_audit_lost_total'), one(samples, 'waxseal_traps_total') + one(samples, 'waxseal_panics_total')].join(', ')],
      ])),
      h('p.quiet', 'The audit trail itself stays on the server: ', h('code', 'waxseal audit --help'), '.'),
    ]
  }

  return { element, start, stop }
}

const facts = rows => rows.map(([name, value]) => h('div', h('dt', name), h('dd', value)))

const absent = status => (status === 0
  ? h('p', 'The server does not answer. Is it still running?')
  : h('p', status !== 403 && status !== 404 ? `The server answered ${status}.` : 'This server shows its metrics only to its own machine, or on a separate listener. What the page has sent is shown beside this.'))

/** `[{ name, labels, value }]` for each sample. */
function read(text) {
  const samples = []
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? []
    if (name === undefined || Number.isNaN(Number(value))) continue
    samples.push({ name, labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, held]) => [key, held])), value: Number(value) })
  }
  return samples
}

/** The one sample of this name, or 0. */
const one = (samples, name) => samples.find(sample => sample.name === name)?.value ?? 0

/** Sums of all samples of this name by the value of a label. */
function by(samples, name, label) {
  const sums = new Map()
  for (const sample of samples) if (sample.name === name) sums.set(sample.labels[label], (sums.get(sample.labels[label]) ?? 0) + sample.value)
  return sums
}

/** Counts of each bucket of a histogram over all its label sets: `[upper end, count]`, not cumulated. */
function buckets(samples, name) {
  const sorted = [...by(samples, `${name}_bucket`, 'le')].map(([end, count]) => [end === '+Inf' ? Infinity : Number(end), count]).sort(([a], [b]) => a - b)
  return sorted.map(([end, count], at) => [end, count - (sorted[at - 1]?.[1] ?? 0)])
}
