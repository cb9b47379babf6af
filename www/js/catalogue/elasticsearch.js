// Elasticsearch: `/_security/…`, `/_xpack/security/…`.

const NOBODY = [401, 'security_exception: nobody is recognised.']
const PASSWORD = { grant_type: 'password', username: '{{name}}', password: '{{password}}' }

export const elasticsearch = {
  id: 'elasticsearch',
  name: 'Elasticsearch',
  about: 'Pairs of an access and a refresh token. /_security answers as version 8 does, /_xpack as 6.8 did; both work on the same tokens.',
  groups: [
    {
      name: 'Tokens',
      routes: [
        {
          id: 'token', method: 'POST', path: '/_security/oauth2/token', title: 'Get a pair', as: 'password:@user', type: 'json', body: PASSWORD, expect: 200,
          about: 'An access token for 20 minutes and a refresh token for a day. The caller in the header and the user in the body may be two.',
          fields: [['grant_type', 'password, refresh_token, client_credentials', 'What is shown for the token.'], ['username, password', 'text', 'With password only.'], ['refresh_token', 'text', 'With refresh_token only.'], ['scope', 'text', 'May be given; a token is always for everything.']],
          answers: [[200, 'access_token, type, expires_in, refresh_token, authentication.'], [400, 'unsupported_grant_type, invalid_request, invalid_grant, in the form of RFC 6749.'], NOBODY],
          cases: [
            { title: 'Wrong password in the body', expect: 401, body: { ...PASSWORD, password: 'not the password' } },
            { title: 'No caller', expect: 401, as: 'none', body: { grant_type: 'password', username: '{{user.name}}', password: '{{user.password}}' } },
            { title: 'A grant that is none', expect: 400, code: 'unsupported_grant_type', body: { grant_type: 'authorization_code' } },
            { title: 'A field of another grant', expect: 400, code: 'invalid_request', body: { ...PASSWORD, refresh_token: 'x' } },
            { title: 'A field missing', expect: 400, code: 'invalid_request', body: { grant_type: 'password', username: '{{name}}' } },
            { title: 'A member nobody knows', expect: 400, body: { ...PASSWORD, colour: 'red' } },
            { title: 'A form instead of JSON', expect: 406, type: 'form', body: 'grant_type=password' },
            { title: 'Another method', expect: 405, method: 'GET', body: '' },
          ],
        },
        {
          id: 'refresh', method: 'POST', path: '/_security/oauth2/token', title: 'Refresh a pair', as: 'password:@user', type: 'json', body: { grant_type: 'refresh_token', refresh_token: '{{refresh}}' }, expect: 200,
          about: 'A new pair. A refresh token works once; shown again within 30 seconds it brings the same new pair, so that callers who race end with one.',
          answers: [[200, 'The new pair.'], [400, 'invalid_grant: used up, ended, or of another client.'], NOBODY],
          cases: [
            { title: 'A refresh token nobody issued', expect: 400, code: 'invalid_grant', body: { grant_type: 'refresh_token', refresh_token: 'bm90LWEtdG9rZW4' } },
            { title: 'An access token in its place', expect: 400, code: 'invalid_grant', body: { grant_type: 'refresh_token', refresh_token: '{{access}}' } },
          ],
        },
        { id: 'client', method: 'POST', path: '/_security/oauth2/token', title: 'A token for the caller', as: 'password:@user', type: 'json', body: { grant_type: 'client_credentials' }, expect: 200, about: 'For the caller himself, without a refresh token.', answers: [[200, 'access_token, type, expires_in, authentication.'], NOBODY] },
        {
          id: 'invalidate', method: 'DELETE', path: '/_security/oauth2/token', title: 'End a token', as: 'password:@user', type: 'json', body: { token: '{{access}}' }, expect: 200,
          about: 'Ends an access token, a refresh token, or all of a user or realm. Each half of a pair is ended by itself.',
          fields: [['token', 'text', 'An access token.'], ['refresh_token', 'text', 'Or a refresh token.'], ['username, realm_name', 'text', 'Or all of these; for administrators.']],
          answers: [[200, 'invalidated_tokens, previously_invalidated_tokens, error_count.'], [400, 'None or two of them were named.'], NOBODY, [403, 'Other people’s tokens, and you are no administrator.'], [404, 'There is no such token; the counts are zero.']],
          cases: [
            { title: 'A token nobody issued', expect: 404, body: { token: 'bm90LWEtdG9rZW4' } },
            { title: 'Two at once', expect: 400, body: { token: '{{access}}', username: '{{name}}' } },
            { title: 'Somebody else’s', expect: 403, body: { username: 'admin' }, plain: true },
          ],
        },
        { id: 'old-token', method: 'POST', path: '/_xpack/security/oauth2/token', title: 'Get a pair, old form', as: 'none', type: 'json', body: { grant_type: 'password', username: '{{user.name}}', password: '{{user.password}}' }, expect: 200, about: 'As versions 5.5 to 6.8 had it: the body alone proves who asks.', answers: [[200, 'access_token, type, expires_in, refresh_token.'], [400, 'As above.'], NOBODY], cases: [{ title: 'Wrong password in the body', expect: 401, body: { grant_type: 'password', username: '{{user.name}}', password: 'not the password' } }] },
        { id: 'old-invalidate', method: 'DELETE', path: '/_xpack/security/oauth2/token', title: 'End a token, old form', as: 'none', type: 'json', body: { token: '{{access}}' }, expect: 200, about: 'Answers created: true when the token was good until now. The holder of an access token needs nothing else to end it.', answers: [[200, 'created, and the counts.'], [401, 'The token is malformed or unknown.']], cases: [{ title: 'A token nobody issued', expect: 401, body: { token: 'bm90LWEtdG9rZW4' } }] },
      ],
    },
    {
      name: 'Who and what',
      routes: [
        { id: 'authenticate', method: 'GET', path: '/_security/_authenticate', title: 'Who am I', as: 'raw', raw: 'Bearer {{access}}', expect: 200, about: 'Whom the credentials belong to. Takes a password or an access token of this dialect.', answers: [[200, 'username, roles, email, enabled and the realms.'], NOBODY], cases: [{ title: 'No credentials', expect: 401, as: 'none' }, { title: 'Wrong password', expect: 401, as: 'wrong:@user' }, { title: 'A token that is none', expect: 401, as: 'raw', raw: 'Bearer bm90LWEtdG9rZW4' }] },
        { id: 'old-authenticate', method: 'GET', path: '/_xpack/security/_authenticate', title: 'Who am I, old form', as: 'password:@user', expect: 200, about: 'The same under the old prefix.', answers: [[200, 'The user.'], NOBODY] },
        { id: 'banner', method: 'GET', path: '/', title: 'The banner', as: 'password:@user', headers: [['accept', 'application/json']], expect: 200, about: 'What official clients ask first. A browser that asks for HTML gets this page instead.', answers: [[200, 'name, version, tagline.'], NOBODY] },
        { id: 'health', method: 'GET', path: '/_cluster/health', title: 'Health', as: 'password:@user', expect: 200, about: 'The protected resource that the documentation’s example asks for.', answers: [[200, 'status green, and numbers.'], NOBODY] },
      ],
    },
  ],
}
