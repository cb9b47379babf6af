// The gateway, for proxies and services: `/auth/…`.

export const gateway = {
  id: 'gateway',
  name: 'Gateway',
  about: 'A reverse proxy asks whether a request may pass, a service asks what a token says. Takes tokens of every dialect.',
  groups: [
    {
      name: 'Is it good?',
      routes: [
        {
          id: 'verify', path: '/auth/verify', title: 'May it pass?', as: 'token:@user',
          about: 'What nginx, Traefik and Caddy ask about each request. A no does not say why.',
          answers: [[204, 'Good: X-Auth-User, X-Auth-Uid, X-Auth-Role, X-Auth-Dialect, X-Auth-Expires.'], [401, 'Not good, or there is none.']],
          cases: [
            { title: 'A forged token', expect: 401, as: 'raw', raw: 'Bearer {{forged}}' },
            { title: 'An expired token', expect: 401, as: 'raw', raw: 'Bearer {{expired}}' },
            { title: 'A revoked token', expect: 401, as: 'raw', raw: 'Bearer {{revoked}}' },
            { title: 'A password', expect: 401, as: 'password:@user' },
            { title: 'An OpenShift authorization', about: 'Every dialect’s tokens are taken.', expect: 204, as: 'raw', raw: 'Bearer {{authorization.token}}' },
            { title: 'An Elasticsearch token', expect: 204, as: 'raw', raw: 'Bearer {{access}}' },
            { title: 'A refresh token', about: 'Tokens of one kind are never taken for another.', expect: 401, as: 'raw', raw: 'Bearer {{refresh}}' },
          ],
        },
        { id: 'envoy', path: '/auth/envoy/orders/7', title: 'May it pass? (Envoy)', as: 'token:@user', about: 'The same with 200 for a yes, which is all that Envoy takes. The client’s method and path are not looked at.', answers: [[200, 'Good, with the same headers.'], [401, 'Not good.']] },
      ],
    },
    {
      name: 'For services',
      routes: [
        {
          id: 'introspect', path: '/auth/introspect', title: 'What does it say?', as: 'password:@admin', type: 'form', body: 'token={{token}}',
          about: 'Token introspection, RFC 7662. Everybody may ask about their own tokens; only some roles about others’.',
          fields: [['token', 'text', 'The token asked about.']],
          answers: [[200, 'active: true and what it says; or only active: false.'], [400, 'invalid_request.'], [401, 'invalid_client: callers must say who they are.']],
          cases: [
            { title: 'A token nobody issued', expect: 200, body: 'token=nothing' },
            { title: 'No caller', expect: 401, as: 'none', body: 'token=nothing' },
            { title: 'No token named', expect: 400, body: 'colour=red' },
            { title: 'JSON instead of a form', expect: 400, type: 'json', body: { token: '{{token}}' } },
          ],
        },
        {
          id: 'revoke', path: '/auth/revoke', title: 'Revoke a token', as: 'password:@user', type: 'form', body: 'token={{access}}',
          about: 'Token revocation, RFC 7009. It holds before the answer is sent. A token that is none is answered alike.',
          fields: [['token', 'text', 'An access or refresh token of any dialect.']],
          answers: [[200, 'It is not good any more, if it ever was.'], [400, 'invalid_request.'], [401, 'invalid_client.']],
          cases: [
            { title: 'A token nobody issued', expect: 200, body: 'token=nothing' },
            { title: 'No token named', expect: 400, body: 'colour=red' },
            { title: 'Another method', expect: 405, method: 'GET', body: '' },
          ],
        },
      ],
    },
    {
      name: 'For verifiers elsewhere',
      routes: [
        { id: 'keys', path: '/.well-known/jwks.json', title: 'Public keys', as: 'none', about: 'The keys that verify, for whoever checks tokens without asking the server. A new one is here before it signs. A shared secret never is: with HS256 the set is empty.', answers: [[200, 'keys, each with kty, crv, kid, alg, x and y; never d.']], cases: [{ title: 'Another method', expect: 405, method: 'POST' }] },
        { id: 'revocations', path: '/auth/revocations', title: 'What is revoked', as: 'none', about: 'A signed snapshot, numbered and with an age limit, by which a verifier elsewhere refuses what this server refuses. It takes public keys: see waxseal key rotate.', answers: [[200, 'The snapshot, a JWS.'], [304, 'You have it: If-None-Match.'], [409, 'no_public_key.'], [503, 'too_many_revocations: it would leave something out.']], cases: [{ title: 'Another method', expect: 405, method: 'POST' }] },
      ],
    },
  ],
}
