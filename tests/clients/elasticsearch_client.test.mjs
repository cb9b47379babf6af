// Drives a running server with the official Elasticsearch clients for JavaScript, unmodified.
//
// WAXSEAL_URL, WAXSEAL_ADMIN and WAXSEAL_PASSWORD say which server and who is its administrator.

import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import * as es7 from 'elasticsearch7'
import * as es8 from 'elasticsearch8'

const { WAXSEAL_URL: url, WAXSEAL_ADMIN: admin, WAXSEAL_PASSWORD: password } = process.env
const secret = 'the password of a client'

// The two generations differ in where an answer's body stands.
const generations = [
  { name: '7.17', module: es7, user: 'js7', of: answer => answer.body, bodied: body => ({ body }) },
  { name: '8', module: es8, user: 'js8', of: answer => answer, bodied: body => body }
]

// Without a client, as each of them is under test: what it takes is the older form of its own call.
async function create(name) {
  const answer = await fetch(`${url}/_security/user/${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Basic ${btoa(`${admin}:${password}`)}` },
    body: JSON.stringify({ password: secret, roles: [] })
  })
  assert.equal(answer.status, 200)
}

for (const { name, module, user, of, bodied } of generations) {
  describe(`@elastic/elasticsearch ${name}`, () => {
    const { Client, errors } = module
    const other = `${user}-other`
    const client = auth => new Client({ node: url, auth, maxRetries: 0 })
    const me = client({ username: user, password: secret })
    const them = client({ username: other, password: secret })
    const root = client({ username: admin, password })
    const token = async (client, body) => of(await client.security.getToken(bodied(body)))
    const login = (client, username = user) => token(client, { grant_type: 'password', username, password: secret })
    const refresh = (client, refresh_token) => token(client, { grant_type: 'refresh_token', refresh_token })
    const who = async client => of(await client.security.authenticate()).username
    const bearer = async pair => client({ bearer: pair.access_token })
    const end = async (client, body) => {
      const counts = of(await client.security.invalidateToken(bodied(body)))
      return [counts.invalidated_tokens, counts.previously_invalidated_tokens, counts.error_count]
    }
    const refused = (status, word) => error => {
      assert(error instanceof errors.ResponseError, String(error))
      assert.equal(error.statusCode, status)
      const told = error.meta.body.error
      assert.equal(told?.type ?? told, word)
      return true
    }

    before(async () => {
      await create(user)
      await create(other)
    })

    test('ping, info, health', async () => {
      assert.equal(of(await me.ping()), true)
      assert.equal(of(await me.info()).tagline, 'You Know, for Search')
      assert.equal(of(await me.cluster.health()).status, 'green')
      assert.equal(of(await me.cluster.health({ wait_for_status: 'yellow' })).status, 'green')
    })

    test('a token is got and used', async () => {
      const pair = await login(me)
      assert.deepEqual([pair.type, pair.expires_in, pair.scope], ['Bearer', 1200, undefined])
      assert.equal(pair.authentication.username, user)
      assert.equal(await who(await bearer(pair)), user)
      assert.equal(of(await (await bearer(pair)).cluster.health()).status, 'green')
      assert.equal(await who(me), user)
    })

    test('a user is made, changed, locked out and deleted', async () => {
      const username = `${user}-made`
      const users = root.security
      const made = { password: secret, roles: ['reports'], full_name: 'Somebody' }
      assert.equal(of(await users.putUser({ username, ...bodied(made) })).created, true)
      assert.equal(of(await users.putUser({ username, ...bodied({ roles: [], full_name: 'Somebody Else' }) })).created, false)
      assert.equal(of(await users.getUser({ username }))[username].full_name, 'Somebody Else')
      const another = 'another password of a client'
      await users.changePassword({ username, ...bodied({ password: another }) })
      const they = client({ username, password: another })
      assert.equal(await who(they), username)
      await users.disableUser({ username })
      await assert.rejects(who(they), refused(401, 'security_exception'))
      await users.enableUser({ username })
      assert.equal(await who(they), username)
      assert.equal(of(await users.deleteUser({ username })).found, true)
      await assert.rejects(who(they), refused(401, 'security_exception'))
    })

    test('client credentials have no refresh token', async () => {
      const { access_token, refresh_token } = await token(me, { grant_type: 'client_credentials' })
      assert.equal(refresh_token, undefined)
      assert.equal(await who(client({ bearer: access_token })), user)
    })

    test('a refresh token gives one pair, at once again the same', async () => {
      const first = await login(me)
      const second = await refresh(me, first.refresh_token)
      assert.notEqual(second.refresh_token, first.refresh_token)
      const again = await refresh(me, first.refresh_token)
      assert.deepEqual([again.access_token, again.refresh_token], [second.access_token, second.refresh_token])
      assert.equal(await who(await bearer(first)), user)
      await assert.rejects(refresh(me, 'junk'), refused(400, 'invalid_grant'))
      await assert.rejects(refresh(them, second.refresh_token), refused(400, 'invalid_grant'))
    })

    test('eight refreshes at once end with one pair', async () => {
      const { refresh_token } = await login(me)
      const clients = Array.from({ length: 8 }, () => client({ username: user, password: secret }))
      const pairs = await Promise.all(clients.map(client => refresh(client, refresh_token)))
      assert.equal(new Set(pairs.map(pair => `${pair.access_token} ${pair.refresh_token}`)).size, 1)
    })

    test('tokens are ended one by one', async () => {
      const pair = await login(me)
      assert.deepEqual(await end(me, { token: pair.access_token }), [1, 0, 0])
      assert.deepEqual(await end(me, { token: pair.access_token }), [0, 1, 0])
      await assert.rejects(who(await bearer(pair)), refused(401, 'security_exception'))
      assert.deepEqual(await end(me, { refresh_token: pair.refresh_token }), [1, 0, 0])
      await assert.rejects(refresh(me, pair.refresh_token), refused(400, 'invalid_grant'))
      await assert.rejects(end(me, { token: 'junk' }), error => {
        assert.equal(error.statusCode, 404)
        assert.equal(error.meta.body.invalidated_tokens, 0)
        return true
      })
    })

    test('tokens are ended by name and by realm', async () => {
      await end(root, { username: other })
      await login(them, other)
      assert.deepEqual(await end(root, { username: other }), [2, 0, 0])
      assert.deepEqual(await end(root, { username: other }), [0, 0, 0])
      const live = await bearer(await login(them, other))
      const realm = of(await them.security.authenticate()).authentication_realm.name
      assert.deepEqual(await end(root, { realm_name: 'nowhere' }), [0, 0, 0])
      assert.equal(await who(live), other)
      assert((await end(root, { realm_name: realm }))[0] >= 2)
      await assert.rejects(who(live), refused(401, 'security_exception'))
      await assert.rejects(end(them, { username: user }), refused(403, 'security_exception'))
    })

    test('errors have the words of the product', async () => {
      const wrong = client({ username: user, password: 'wrong' })
      await assert.rejects(who(wrong), refused(401, 'security_exception'))
      await assert.rejects(token(me, { grant_type: 'password' }), refused(400, 'invalid_request'))
      await assert.rejects(token(me, { grant_type: 'magic' }), refused(400, 'unsupported_grant_type'))
      const body = { grant_type: 'password', username: user, password: 'wrong' }
      await assert.rejects(token(me, body), refused(401, 'security_exception'))
      await assert.rejects(end(me, { token: 'a', username: 'b' }), refused(400, 'action_request_validation_exception'))
    })
  })
}
