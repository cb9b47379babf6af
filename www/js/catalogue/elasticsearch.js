// Elasticsearch: `/_security/…`, `/_xpack/security/…`.

const NOBODY = [401, 'security_exception: nobody is recognised.']
const FORBIDDEN = [403, 'security_exception: you manage no users, or not this one.']
const BAD = [400, 'A member that is unknown, missing, too long or of another type.']
const PASSWORD = { grant_type: 'password', username: '{{name}}', password: '{{password}}' }

export const elasticsearch = {
  id: 'elasticsearch',
  name: 'Elasticsearch',
  about: 'Pairs of an access and a refresh token, users and roles. /_security answers as version 8 does, /_xpack as 6.8 did; both work on the same tokens and users.',
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
      name: 'Users',
      routes: [
        { id: 'users', method: 'GET', path: '/_security/user', title: 'All users', as: 'password:@admin', expect: 200, about: 'Every user of this server, whichever dialect made him. For administrators and user managers.', answers: [[200, 'By name: username, roles, full_name, email, metadata, enabled.'], NOBODY, FORBIDDEN], cases: [{ title: 'You manage nobody', expect: 403, code: 'security_exception', as: 'password:@user', plain: true }, { title: 'No credentials', expect: 401, as: 'none' }] },
        { id: 'user', method: 'GET', path: '/_security/user/{{scratch.name}}', title: 'Some users', as: 'password:@admin', expect: 200, about: 'Users by name, several between commas.', answers: [[200, 'Those there are.'], NOBODY, FORBIDDEN, [404, 'There is none of them: {}.']], cases: [{ title: 'Nobody', expect: 404, path: '/_security/user/nobody-here' }, { title: 'A path that is not UTF-8', expect: 400, path: '/_security/user/%ff' }] },
        {
          id: 'user-put', method: 'PUT', path: '/_security/user/made-{{random}}', title: 'Make or change a user', as: 'password:@admin', type: 'json', body: { password: 'Paper-Boat-{{random}}-7', roles: ['db_viewer', 'reports'], full_name: 'Made Here', metadata: { floor: 3 } }, expect: 200,
          about: 'A new user, or what a user is from now on. What is left out of full name, address and metadata is gone; the password and whether he is enabled stay. POST does the same.',
          fields: [['password', 'text', 'At least 6 characters, and as the policy has it. Needed for a new user; ends all tokens of an old one.'], ['roles', 'list of names', 'At most one that grants something: superuser, cluster_member, cluster_viewer, db_member, db_viewer, user_manager. Every other name is kept, shown, and grants nothing.'], ['full_name, email', 'text or null', 'For people; no two users have one address.'], ['metadata', 'object', 'Kept and shown.'], ['enabled', 'true or false', 'Whether he may log in.']],
          answers: [[200, 'created: whether he is new.'], BAD, NOBODY, FORBIDDEN, [409, 'Another user goes by this address.']],
          cases: [
            { title: 'A new user without a password', expect: 400, code: 'action_request_validation_exception', body: { roles: [] } },
            { title: 'A password of five characters', expect: 400, code: 'action_request_validation_exception', body: { password: 'short', roles: [] } },
            { title: 'A hash in its place', expect: 400, body: { password_hash: '$2a$10$x', roles: [] } },
            { title: 'Two roles that grant something', expect: 400, body: { password: 'Paper-Boat-{{random}}-7', roles: ['superuser', 'db_viewer'] } },
            { title: 'A member nobody knows', expect: 400, code: 'x_content_parse_exception', body: { roles: [], colour: 'red' } },
            { title: 'You manage nobody', expect: 403, as: 'password:@user', plain: true },
            { title: 'Another method', expect: 405, method: 'PATCH', body: '' },
          ],
        },
        { id: 'user-delete', method: 'DELETE', path: '/_security/user/{{scratch.name}}', title: 'Delete a user', as: 'password:@admin', expect: 200, about: 'His tokens end with him. The last superuser stays.', answers: [[200, 'found: true.'], [400, 'He is the last superuser.'], NOBODY, FORBIDDEN, [404, 'found: false.']], cases: [{ title: 'Nobody', expect: 404, path: '/_security/user/nobody-here' }] },
        { id: 'user-password', method: 'PUT', path: '/_security/user/{{scratch.name}}/_password', title: 'Set a password', as: 'password:@admin', type: 'json', body: { password: 'Paper-Boat-{{random}}-7' }, expect: 200, about: 'In place of all that the user had; his tokens and locks end.', fields: [['password', 'text', 'At least 6 characters, and as the policy has it.']], answers: [[200, '{}'], BAD, NOBODY, FORBIDDEN], cases: [{ title: 'Too short', expect: 400, code: 'action_request_validation_exception', body: { password: 'short' } }, { title: 'Somebody else’s', expect: 403, as: 'password:@user', plain: true }, { title: 'Nobody’s', expect: 400, code: 'validation_exception', path: '/_security/user/nobody-here/_password' }] },
        { id: 'own-password', method: 'POST', path: '/_security/user/_password', title: 'Change your own password', as: 'raw', raw: 'Basic {{scratch.basic}}', type: 'json', body: { password: 'Paper-Boat-{{random}}-7' }, expect: 200, about: 'Everybody may, with his password; a token is not enough. Works with an expired password too. Sent as a user made just for this.', answers: [[200, '{}'], [400, 'As above, or it is the one you have.'], NOBODY, [403, 'It was a token.']], cases: [{ title: 'With a token', expect: 403, as: 'raw', raw: 'Bearer {{access}}', plain: true }, { title: 'No password', expect: 400, body: {} }] },
        { id: 'disable', method: 'PUT', path: '/_security/user/{{scratch.name}}/_disable', title: 'Shut a user out', as: 'password:@admin', expect: 200, about: 'No login and no token works any more. Nobody does this to himself.', answers: [[200, '{}'], [400, 'There is no such user, or it is yourself.'], NOBODY, FORBIDDEN], cases: [{ title: 'Nobody', expect: 400, code: 'validation_exception', path: '/_security/user/nobody-here/_disable' }, { title: 'Yourself', expect: 400, code: 'illegal_argument_exception', path: '/_security/user/{{name}}/_disable' }] },
        { id: 'enable', method: 'PUT', path: '/_security/user/{{scratch.name}}/_enable', title: 'Let a user in', as: 'password:@admin', expect: 200, about: 'Logins work again; tokens of before do not.', answers: [[200, '{}'], [400, 'As above.'], NOBODY, FORBIDDEN], cases: [{ title: 'You manage nobody', expect: 403, as: 'password:@user', plain: true }] },
        { id: 'old-user-put', method: 'PUT', path: '/_xpack/security/user/made-{{random}}', title: 'Make or change a user, old form', as: 'password:@admin', type: 'json', body: { password: 'Paper-Boat-{{random}}-7', roles: [] }, expect: 200, about: 'All of these routes are under the old prefix too; this one answers as 6.8 did.', answers: [[200, 'user.created, and created.'], BAD, NOBODY, FORBIDDEN], cases: [{ title: 'Roles are missing', expect: 400, body: { password: 'Paper-Boat-{{random}}-7' } }] },
      ],
    },
    {
      name: 'Roles',
      routes: [
        { id: 'roles', method: 'GET', path: '/_security/role', title: 'All roles', as: 'password:@admin', expect: 200, about: 'Those that are built in, which grant what they grant in every dialect, and those defined here, which grant nothing.', answers: [[200, 'By name, as they were defined.'], NOBODY, FORBIDDEN], cases: [{ title: 'You manage nobody', expect: 403, as: 'password:@user', plain: true }] },
        { id: 'role', method: 'GET', path: '/_security/role/superuser', title: 'Some roles', as: 'password:@admin', expect: 200, about: 'Roles by name, several between commas.', answers: [[200, 'Those there are.'], NOBODY, FORBIDDEN, [404, 'There is none of them: {}.']], cases: [{ title: 'None', expect: 404, path: '/_security/role/no-such-role' }] },
        { id: 'role-put', method: 'PUT', path: '/_security/role/reports', title: 'Define a role', as: 'password:@admin', type: 'json', body: { cluster: ['monitor'], indices: [{ names: ['logs-*'], privileges: ['read'] }] }, expect: 200, about: 'Kept and shown as it was sent. There are no indices here, so it grants nothing; set-ups that define roles run all the same. For administrators.', answers: [[200, 'role.created: whether it is new.'], BAD, NOBODY, [403, 'You are no administrator.']], cases: [{ title: 'One that is built in', expect: 400, code: 'illegal_argument_exception', path: '/_security/role/superuser' }, { title: 'A list that is none', expect: 400, code: 'x_content_parse_exception', body: { cluster: 'all' } }, { title: 'You are no administrator', expect: 403, as: 'password:@user', plain: true }] },
        { id: 'role-delete', method: 'DELETE', path: '/_security/role/reports', title: 'Delete a role', as: 'password:@admin', expect: 200, about: 'The one defined above. Users keep its name.', answers: [[200, 'found: true.'], NOBODY, [403, 'You are no administrator.'], [404, 'found: false.']], cases: [{ title: 'None', expect: 404, path: '/_security/role/no-such-role' }, { title: 'One that is built in', expect: 400, path: '/_security/role/superuser' }] },
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
