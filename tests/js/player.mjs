// Plays the list of HTTP cases (`tests/cases/README.md`), in any JavaScript runtime: standard globals only. A world is
// `{ send(from, request), advance(secs) }`; a request is `{ method, target, headers: [[name, value]], body: Uint8Array }`, a reply
// `{ status, headers: [[name, value]], body: Uint8Array }`.

export const ADMIN = ['admin', 'Grey-Heron 27 lantern']

const utf8 = new TextEncoder()
const text = new TextDecoder()
const EXCHANGE = ['request', 'basic', 'bearer', 'jwt', 'headers', 'json', 'form', 'body', 'body_base64', 'from', 'times', 'expect', 'label', 'capture', 'claims']
const EXPECT = ['status', 'headers', 'json', 'body', 'same_as']
/** Members that hold a token wherever they appear. */
const TOKENS = ['access_token', 'refresh_token', 'id_token', 'token']
/** Shorter ones may appear in a reply by accident. */
const SHORTEST_SECRET = 5
/** Shorter ones may appear in a token by accident. */
const LONG_SECRET = 8

/** The settings of a scenario, with hashing as cheap as can be unless it says otherwise. */
export function settingsOf({ settings = {} }) {
  const scheme = { argon2id: { memory: 8, passes: 1, lanes: 1 } }
  return { ...settings, passwords: { scheme, ...settings.passwords } }
}

/** What was not as expected, or `undefined`. */
export async function play(file, scenario, world) {
  const player = new Player(file, world)
  try {
    await player.seed(scenario.users ?? [])
  } catch (error) {
    return `before the first step: ${error.message}`
  }
  for (const [index, step] of scenario.steps.entries()) {
    try {
      if (step.advance_secs !== undefined) await world.advance(step.advance_secs)
      else await player.exchange(step)
    } catch (error) {
      return `step ${index + 1}, ${step.request}: ${error.message}`
    }
  }
  return undefined
}

class Player {
  #shapes
  #world
  #variables = new Map([['admin.password', ADMIN[1]]])
  #passwords = [ADMIN[1]]
  #labels = new Map()

  constructor(file, world) {
    this.#shapes = file.shapes ?? {}
    this.#world = world
  }

  async seed(users) {
    if (users.length === 0) return
    await this.exchange({
      request: 'POST /v1/users/authorize', basic: ADMIN, json: { ttl: 86400 },
      expect: { status: 200 }, capture: { 'admin.token': '/access_token' },
    })
    for (const user of users) {
      await this.exchange({
        request: 'POST /v1/users', bearer: '${admin.token}', json: user,
        expect: { status: 200 }, capture: { [`${user.name}.uid`]: '/uid' },
      })
      this.#variables.set(`${user.name}.password`, user.password)
      this.#passwords.push(user.password)
    }
  }

  async exchange(stated) {
    only(stated, EXCHANGE)
    only(stated.expect, EXPECT)
    const exchange = this.#fill(stated)
    const request = requestOf(exchange)
    let reply
    for (let i = 0; i < (exchange.times ?? 1); i++) {
      reply = await this.#world.send(exchange.from ?? '127.0.0.1', request)
      try {
        this.#check(exchange, request, reply)
      } catch (error) {
        throw new Error(`${error.message}\n    in ${shown(reply)}`)
      }
    }
    for (const [name, capture] of Object.entries(exchange.capture ?? {})) this.#variables.set(name, captured(capture, reply))
    if (exchange.label !== undefined) this.#labels.set(exchange.label, reply)
  }

  #check(exchange, request, reply) {
    const { expect, claims } = exchange
    const allowed = [expect.status].flat()
    demand(allowed.includes(reply.status), `status ${reply.status} is not the one expected`)
    invariants(exchange, request, reply, this.#passwords, allowed)
    const body = jsonOf(reply)
    const matcher = new Matcher(this.#shapes, body)
    for (const [name, expected] of Object.entries(expect.headers ?? {})) matcher.compare(name, expected, header(reply, name))
    if (Object.hasOwn(expect, 'json')) matcher.compare('body', expect.json, body)
    if (expect.body !== undefined) demand(text.decode(reply.body) === expect.body, `expected the body ${JSON.stringify(expect.body)}`)
    if (expect.same_as !== undefined) {
      const other = this.#labels.get(expect.same_as)
      demand(other, `no reply is labelled \`${expect.same_as}\``)
      demand(comparable(other) === comparable(reply), `not the same as \`${expect.same_as}\`: ${shown(other)}`)
    }
    if (claims !== undefined) checkClaims(claims, matcher, body)
  }

  /** `value` with every variable in every string (but not in member names) replaced. */
  #fill(value) {
    if (typeof value === 'string') return this.#fillText(value)
    if (Array.isArray(value)) return value.map(item => this.#fill(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, this.#fill(member)]))
  }

  #fillText(value) {
    const whole = /^\$\{([^}]*)\}$/.exec(value)
    if (whole) return this.#variable(whole[1])
    return value.replace(/\$\{([^}]*)\}/g, (_, name) => {
      const found = this.#variable(name)
      return typeof found === 'string' ? found : JSON.stringify(found)
    })
  }

  #variable(name) {
    demand(this.#variables.has(name), `there is no variable \`${name}\``)
    return this.#variables.get(name)
  }
}

function requestOf(exchange) {
  const [method, target] = exchange.request.split(/ (.*)/s)
  const { basic, bearer, jwt, json, form, body, body_base64: base64 } = exchange
  demand([json, form, body, base64].filter(given => given !== undefined).length <= 1, 'several bodies')
  const authorization = basic ? `Basic ${toBase64(utf8.encode(basic.join(':')))}` : bearer !== undefined ? `Bearer ${bearer}` : jwt !== undefined ? `JWT ${jwt}` : undefined
  const [type, octets] = Object.hasOwn(exchange, 'json') ? ['application/json', utf8.encode(JSON.stringify(json))]
    : form !== undefined ? ['application/x-www-form-urlencoded', utf8.encode(formEncoded(form))]
    : body !== undefined ? [undefined, utf8.encode(body)]
    : base64 !== undefined ? [undefined, Uint8Array.from(atob(base64), char => char.charCodeAt(0))]
    : [undefined, new Uint8Array()]
  const stated = exchange.headers ?? {}
  const headers = []
  for (const [name, value] of [['authorization', authorization], ['content-type', type]]) {
    if (value !== undefined && !Object.hasOwn(stated, name)) headers.push([name, value])
  }
  for (const [name, value] of Object.entries(stated)) {
    demand(name === name.toLowerCase(), `header name \`${name}\` is not in lower case`)
    for (const one of value === null ? [] : [value].flat()) headers.push([name, latin1(utf8.encode(one))])
  }
  return { method, target, headers, body: octets }
}

function formEncoded(form) {
  const encoded = value => Array.from(utf8.encode(value), octet => {
    const char = String.fromCharCode(octet)
    return /[\w.-]/.test(char) ? char : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
  return Object.entries(form).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&')
}

/** What must hold for every reply, whatever the case says. */
function invariants(exchange, request, reply, passwords, allowed) {
  const body = text.decode(reply.body)
  const stated = ['password', 'old_password', 'new_password'].flatMap(name => [exchange.json?.[name], exchange.form?.[name]])
  const secrets = [...passwords, exchange.basic?.[1], ...stated].filter(secret => typeof secret === 'string')
  const rules = [
    ['a 5xx that the case does not expect', reply.status < 500 || allowed.includes(reply.status)],
    ['a 401 has www-authenticate', reply.status !== 401 || header(reply, 'www-authenticate') !== undefined],
    ['a 405 has allow', reply.status !== 405 || header(reply, 'allow') !== undefined],
    ['a body has a content-type', reply.body.length === 0 || header(reply, 'content-type') !== undefined],
    ['a 204 has no body', reply.status !== 204 || reply.body.length === 0],
    ['HEAD has no body', request.method !== 'HEAD' || reply.body.length === 0],
    ['an answer with a token has cache-control: no-store', !holdsToken(jsonOf(reply)) || header(reply, 'cache-control')?.includes('no-store')],
    ['no password is shown', !secrets.some(secret => shows(body, secret))],
    ['no password hash is shown', !body.includes('$argon2') && !body.includes('$pbkdf2')],
  ]
  for (const [rule, holds] of rules) demand(holds, `breaks the rule \`${rule}\``)
}

/** Whether `body` shows a password: a long one anywhere, a short one where it is no part of a token. */
export function shows(body, secret) {
  const { length } = utf8.encode(secret)
  if (length < SHORTEST_SECRET) return false
  if (length >= LONG_SECRET) return body.includes(secret)
  const around = body.split(secret)
  return around.slice(1).some((after, at) => !/[\w-]$/.test(around[at]) && !/^[\w-]/.test(after))
}

function holdsToken(value) {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(holdsToken)
  return Object.entries(value).some(([name, member]) => (typeof member === 'string' && TOKENS.includes(name)) || holdsToken(member))
}

/** Compares values with what a case expects of them. */
export class Matcher {
  #shapes
  #body

  constructor(shapes, body) {
    this.#shapes = shapes
    this.#body = body
  }

  /** Throws where and how `got` is not as expected. `got` is undefined for what is not there. */
  compare(at, expected, got) {
    const special = isObject(expected) ? Object.keys(expected).find(name => name.startsWith('$')) : undefined
    if (special === undefined) return this.#plain(at, expected, got)
    const argument = expected[special]
    const { [special]: _, ...rest } = expected
    demand(special === '$shape' || Object.keys(rest).length === 0, `\`${special}\` stands beside other members`)
    const verdict = holds => demand(holds, `${at}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got) ?? 'nothing'}`)
    const matches = (one, value) => {
      try {
        this.compare(at, one, value)
        return true
      } catch {
        return false
      }
    }
    switch (special) {
      case '$absent': return verdict(got === undefined)
      case '$any': return verdict(got !== undefined)
      case '$not': return verdict(!matches(argument, got))
      case '$type': return verdict(isOfType(argument, got))
      case '$regex': return verdict(typeof got === 'string' && whole(argument).test(got))
      case '$int_between': return verdict(Number.isSafeInteger(got) && argument[0] <= got && got <= argument[1])
      case '$one_of': return verdict(argument.some(one => matches(one, got)))
      case '$same': return verdict(got !== undefined && equal(got, pointed(this.#body, argument)))
      case '$contains': return verdict(Array.isArray(got) && got.some(item => matches(argument, item)))
      case '$each':
        verdict(Array.isArray(got) && got.length > 0)
        return got.forEach(item => this.compare(`${at}/*`, argument, item))
      case '$exactly':
        this.#plain(at, argument, got)
        return verdict(Object.keys(got).every(name => Object.hasOwn(argument, name)))
      case '$shape':
        demand(Object.hasOwn(this.#shapes, argument), `there is no shape ${argument}`)
        this.compare(at, this.#shapes[argument], got)
        return this.#plain(at, rest, got)
      default: throw new Error(`no such matcher: \`${special}\``)
    }
  }

  #plain(at, expected, got) {
    if (isObject(expected) && isObject(got)) {
      for (const [name, member] of Object.entries(expected)) this.compare(`${at}/${name}`, member, Object.hasOwn(got, name) ? got[name] : undefined)
    } else if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length) {
      expected.forEach((item, index) => this.compare(`${at}/${index}`, item, got[index]))
    } else {
      demand(equal(expected, got), `${at}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got) ?? 'nothing'}`)
    }
  }
}

function isOfType(name, value) {
  switch (name) {
    case 'integer': return Number.isInteger(value)
    case 'array': return Array.isArray(value)
    case 'object': return isObject(value)
    case 'null': return value === null
    case 'string': case 'number': case 'boolean': return typeof value === name
    default: throw new Error(`no such type: ${name}`)
  }
}

/** The regular expression, made to match as a whole; flags at its front are written as other engines have them. */
function whole(expression) {
  const [, flags = '', rest] = /^(?:\(\?([a-z]+)\))?(.*)$/s.exec(expression)
  return new RegExp(`^(?:${rest})$`, `u${flags}`)
}

function captured(capture, reply) {
  const { pointer, header: name, regex } = typeof capture === 'string' ? { pointer: capture } : capture
  const value = pointer === undefined ? header(reply, name) : pointed(jsonOf(reply), pointer)
  demand(value !== undefined, 'nothing to capture')
  if (regex === undefined) return value
  const group = new RegExp(regex, 'u').exec(value)?.[1]
  demand(group !== undefined, `\`${regex}\` with a group does not match ${value}`)
  return group
}

function checkClaims({ of, header: expectedHeader, payload: expectedPayload, lifetime }, matcher, body) {
  const parts = pointed(body, of)?.split('.')
  demand(parts?.length === 3, 'there is no token to open')
  const [head, payload] = parts.slice(0, 2).map(part => JSON.parse(text.decode(Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), char => char.charCodeAt(0)))))
  if (expectedHeader !== undefined) matcher.compare('token header', expectedHeader, head)
  if (expectedPayload !== undefined) matcher.compare('token payload', expectedPayload, payload)
  if (lifetime !== undefined) demand(payload.exp - payload.iat === lifetime, `the token does not live ${lifetime} s: ${JSON.stringify(payload)}`)
}

/** The value at a JSON pointer (RFC 6901). */
function pointed(value, pointer) {
  const names = pointer.split('/').slice(1).map(name => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  return names.reduce((at, name) => (typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? at[name] : undefined), value)
}

function jsonOf({ body }) {
  try {
    return JSON.parse(text.decode(body))
  } catch {
    return undefined
  }
}

function header({ headers }, name) {
  const values = headers.filter(([known]) => known === name).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

/** A reply without what may differ between two equal ones. */
function comparable({ status, headers, body }) {
  return JSON.stringify([status, headers.filter(([name]) => name !== 'date' && name !== 'x-request-id'), [...body]])
}

function shown({ status, headers, body }) {
  return `${status} ${JSON.stringify(headers)} ${text.decode(body)}`
}

function equal(a, b) {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]))
  if (isObject(a)) return isObject(b) && Object.keys(a).length === Object.keys(b).length && Object.keys(a).every(name => Object.hasOwn(b, name) && equal(a[name], b[name]))
  return a === b
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function only(stated, names) {
  const other = Object.keys(stated).find(name => !names.includes(name))
  demand(other === undefined, `\`${other}\` is not described`)
}

function demand(holds, message) {
  if (!holds) throw new Error(message)
}

function toBase64(octets) {
  return btoa(latin1(octets))
}

function latin1(octets) {
  return Array.from(octets, octet => String.fromCharCode(octet)).join('')
}
