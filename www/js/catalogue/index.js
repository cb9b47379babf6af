// Every route, as a request that can be sent as it stands.

import { elasticsearch } from './elasticsearch.js'
import { gateway } from './gateway.js'
import { openshift } from './openshift.js'
import { redis } from './redis.js'

/** The dialects: `{ id, name, about, as, headers, denied, groups: [{ name, routes }] }`. */
export const dialects = [redis, openshift, elasticsearch, gateway].map(dialect => ({
  ...dialect,
  groups: dialect.groups.map(({ name, routes }) => ({ name, routes: routes.map(route => whole(route, dialect)) })),
}))

/** All routes: `{ dialect, id, method, path, as, title, about, fields, answers, cases, … }`. */
export const routes = dialects.flatMap(({ groups }) => groups.flatMap(group => group.routes))

/** A route with its defaults filled in, and with cases for what most routes refuse alike. */
function whole(route, dialect) {
  const { path, as = dialect.as, body, method = body ? 'POST' : 'GET', answers, cases = [] } = route
  const says = wanted => answers.some(([status]) => status === wanted)
  const lacks = wanted => says(wanted) && !cases.some(({ expect }) => expect === wanted)
  const common = [
    says(401) && ![{ as }, ...cases].some(known => known.as === 'none') && { title: 'No credentials', expect: 401, as: 'none' },
    lacks(403) && { title: 'As somebody who may not', as: 'password:@user', plain: true, ...dialect.denied, expect: 403 },
    lacks(404) && { title: 'One that is not there', expect: 404, path: path.replace(/[^/]+$/, '999999') },
  ]
  return { headers: dialect.headers, ...route, dialect, as, method, cases: [...cases, ...common.filter(Boolean)] }
}

/** The route that the address names, else the first. */
export const find = (dialect, id) => routes.find(route => route.dialect.id === dialect && route.id === id) ?? routes[0]

/** What is sent for a route, or for one of its cases: `{ method, path, as, raw, headers, type, body }`, all texts. */
export function draftOf(route, failure = {}) {
  const of = name => failure[name] ?? route[name]
  return {
    method: of('method'),
    path: of('path'),
    as: of('as'),
    raw: of('raw') ?? '',
    headers: of('headers') ?? [],
    type: of('type') ?? (of('body') ? 'json' : ''),
    body: written(of('body') ?? ''),
  }
}

const written = body => (typeof body === 'string' ? body : JSON.stringify(body, null, 2))
