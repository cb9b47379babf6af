// What every set-up has to manage: log in, verify what was issued, refuse what is not.

export async function smoke({ MemoryStore, Waxseal }, { createVerifier }) {
  const waxseal = new Waxseal({ store: new MemoryStore() })
  await waxseal.bootstrap({ password: 'Grey-Heron 27 lantern' })
  const headers = { authorization: `Basic ${btoa('admin:Grey-Heron 27 lantern')}`, 'content-type': 'application/json' }
  const response = await waxseal.fetch(new Request('http://localhost/v1/users/authorize', { method: 'POST', headers, body: '{}' }))
  const { access_token: token } = await response.json()
  const keys = await (await waxseal.admin(new Request('http://localhost/admin/keys/export'))).json()
  const verify = createVerifier({ keys, issuer: 'waxseal' })
  let refused
  try {
    verify(`${token.slice(0, -2)}AA`)
  } catch (error) {
    refused = error.code
  }
  waxseal.close()
  return `${response.status} ${verify(token).uid} ${refused}`
}
