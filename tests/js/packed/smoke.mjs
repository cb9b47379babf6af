// What every set-up has to manage: log in, verify what was issued, refuse what is not; and the same elsewhere, with public keys.

export async function smoke(engine, { createVerifier }, { createRemoteVerifier }) {
  const { waxseal, token } = await issuer(engine, {})
  const keys = await (await waxseal.admin(new Request('http://localhost/admin/keys/export'))).json()
  const verify = createVerifier({ keys, issuer: 'waxseal' })
  const here = [verify(token).uid, await refusal(() => verify(forged(token)))]
  waxseal.close()

  const { waxseal: other, token: signed } = await issuer(engine, { signing_algorithm: 'ES256' })
  const { verify: elsewhere } = createRemoteVerifier({ origin: 'https://auth.example', issuer: 'waxseal', fetch: (url, init) => other.fetch(new Request(url, init)) })
  const there = [(await elsewhere(signed)).uid, await refusal(() => elsewhere(forged(signed)))]
  other.close()
  return [...here, ...there].join(' ')
}

async function issuer({ MemoryStore, Waxseal }, settings) {
  const waxseal = new Waxseal({ store: new MemoryStore(), settings })
  await waxseal.bootstrap({ password: 'Grey-Heron 27 lantern' })
  const headers = { authorization: `Basic ${btoa('admin:Grey-Heron 27 lantern')}`, 'content-type': 'application/json' }
  const response = await waxseal.fetch(new Request('http://localhost/v1/users/authorize', { method: 'POST', headers, body: '{}' }))
  return { waxseal, token: (await response.json()).access_token }
}

/** With another first character of its signature, whichever that is. */
export function forged(token) {
  const at = token.lastIndexOf('.') + 1
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}

async function refusal(work) {
  try {
    return await work()
  } catch (error) {
    return error.code
  }
}
