// The live server's metrics, asked every two seconds while they are looked at.

import { fill, h } from '../../dom.js'
import { transport } from '../../engines/live.js'
import { bars, spark } from '../../parts/chart.js'
import { milliseconds, plural } from '../../words.js'
import { buckets, by, one, read } from './metrics.js'

const EVERY = 2000
const KEEP = 60
const ROUTES = { verify: 'is it good?', gateway: 'gateway', redis: 'Redis', openshift: 'OpenShift', elasticsearch: 'Elasticsearch', host: 'health and metrics', other: 'page and unknown' }

/** `{ element, start, stop }` */
export function serverMetrics() {
  const place = h('div.prose')
  const element = h('section.card', { 'aria-labelledby': 'server-title' }, h('h2', { id: 'server-title' }, 'The live server'), place)
  const rates = []
  let before
  let timer

  function start(view) {
    stop()
    const turn = async () => {
      if (!document.hidden) await ask()
      if (view.isConnected) timer = setTimeout(turn, EVERY)
    }
    turn()
  }

  function stop() {
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
    const tone = status => (status.startsWith('5') ? 'bad' : status.startsWith('4') ? 'warn' : 'good')
    const logins = named(by(samples, 'waxseal_logins_total', 'result')).map(row => ({ ...row, tone: row.label === 'ok' ? 'good' : 'warn' }))
    const kdf = name => one(samples, `waxseal_kdf_${name}`)
    const derived = kdf('done_total')
    return [
      h('p', h('strong', plural(total, 'request')), ' since it was started, over ', plural(one(samples, 'waxseal_connections'), 'open connection'), '.'),
      h('h3', 'Requests each second'), spark(rates, 'Requests each second'),
      h('h3', 'By route'), bars(named(by(samples, 'waxseal_requests_total', 'route'), ROUTES), { label: 'Requests by route' }),
      h('h3', 'By status'), bars(named(by(samples, 'waxseal_requests_total', 'status')).map(row => ({ ...row, tone: tone(row.label) })), { label: 'Requests by status' }),
      h('h3', 'How long they took'), bars(buckets(samples, 'waxseal_request_seconds').map(([end, value]) => ({ label: end === Infinity ? 'longer' : `up to ${Number((end * 1000).toPrecision(3))} ms`, value })), { label: 'Requests by time' }),
      h('h3', 'Logins'), logins.length > 0 ? bars(logins, { label: 'Logins by result' }) : h('p.quiet', 'Nobody has tried yet.'),
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
  : h('p', 'This server shows its metrics to this machine only, or on a listener of their own: they are not to be had from here. What the page itself has sent stands beside.'))
