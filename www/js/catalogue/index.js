// Every route, as a request that can be sent as it stands.

import { elasticsearch } from './elasticsearch.js'
import { gateway } from './gateway.js'
import { openshift } from './openshift.js'
import { redis } from './redis.js'

/** The dialects: `{ id, name, about, groups: [{ name, routes }] }`. */
export const dialects = [redis, openshift, elasticsearch, gateway]

/** All routes: `{ dialect, id, method, path, title, about, fields, answers, cases, … }`. */
export const routes = dialects.flatMap(dialect => dialect.groups.flatMap(({ routes: some }) => some.map(route => ({ ...route, dialect }))))

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
    headers: (of('headers') ?? []).map(pair => [...pair]),
    type: of('type') ?? '',
    body: written(of('body') ?? ''),
  }
}

const written = body => (typeof body === 'string' ? body : JSON.stringify(body, null, 2))
