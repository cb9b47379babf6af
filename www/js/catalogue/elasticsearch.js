// Elasticsearch: `/_security/…`, `/_xpack/security/…`.

const NOBODY = [401, 'security_exception: nobody is recognised.']
const FORBIDDEN = [403, 'security_exception: you manage no users.']
const BAD = [400, 'A member that is unknown, missing, too long or of another type.']
const OWN = { grant_type: 'password', username: '{{user.name}}', password: '{{user.password}}' }
const PASSWORD = { grant_type: 'password', username: '{{name}}', password: '{{password}}' }

export const elasticsearch = {
  id: 'elasticsearch',
  as: 'password:@admin',
  name: 'Elasticsearch',
  about: 'Pairs of an access and a refresh token, users and roles. /_security answers as version 8, /_xpack as 6.8; both have the same tokens and users.',
  groups: [
    {
      name: 'Tokens',
      routes: [
        {
          id: 'token', path: '/_security/oauth2/token', title: 'Get a pair', as: 'password:@user', body: PASSWORD,
          about: 'An access token for 20 minutes and a refresh token for a day. Caller and user may be two.',
          fields: [['grant_type', 'password, refresh_token, client_credentials', 'What is shown for the token.'], ['username, password', 'text', 'With password only.'], ['refresh_token', 'text', 'With refresh_token only.'], ['scope', 'text', 'May be given; a token is always for everything.']],
          answers: [[200, 'access_token, type, expires_in, refresh_token, authentication.'], [400, 'unsupported_grant_type, invalid_request, invalid_grant, in the form of RFC 6749.'], NOBODY],
          cases: [
            { title: 'Wrong password in the body', expect: 401, body: { ...PASSWORD, password: 'not the password' } },
            { title: 'No caller', expect: 401, as: 'none', body: OWN },
            { title: 'A grant that is none', expect: 400, body: { grant_type: 'authorization_code' } },
            { title: 'A field of another grant', expect: 400, body: { ...PASSWORD, refresh_token: 'x' } },
            { title: 'A field missing', expect: 400, body: { grant_type: 'password', username: '{{name}}' } },
            { title: 'A member nobody knows', expect: 400, body: { ...PASSWORD, colour: 'red' } },
            { title: 'A form instead of JSON', expect: 406, type: 'form', body: 'grant_type=password' },
            { title: 'Another method', expect: 405, method: 'GET', body: '' },
          ],
        },
        {
          id: 'refresh', path: '/_security/oauth2/token', title: 'Refresh a pair', as: 'password:@user', body: { grant_type: 'refresh_token', refresh_token: '{{refresh}}' },
          about: 'A new pair. A refresh token works once; again within 30 seconds it brings the same new pair, for callers who race.',
          answers: [[200, 'The new pair.'], [400, 'invalid_grant: used up, ended, or of another client.'], NOBODY],
          cases: [
            { title: 'A refresh token nobody issued', expect: 400, body: { grant_type: 'refresh_token', refresh_token: 'bm90LWEtdG9rZW4' } },
            { title: 'An access token in its place', expect: 400, body: { grant_type: 'refresh_token', refresh_token: '{{access}}' } },
          ],
        },
        { id: 'client', path: '/_security/oauth2/token', title: 'A token for the caller', as: 'password:@user', body: { grant_type: 'client_credentials' }, about: 'For the caller, without a refresh token.', answers: [[200, 'access_token, type, expires_in, authentication.'], NOBODY] },
        {
          id: 'invalidate', method: 'DELETE', path: '/_security/oauth2/token', title: 'End a token', as: 'password:@user', body: { token: '{{access}}' },
          about: 'Ends one token, or all of a user or realm. Each half of a pair is ended by itself.',
          fields: [['token', 'text', 'An access token.'], ['refresh_token', 'text', 'Or a refresh token.'], ['username, realm_name', 'text', 'Or all of these; for administrators.']],
          answers: [[200, 'invalidated_tokens, previously_invalidated_tokens, error_count.'], [400, 'None or two of them were named.'], NOBODY, [403, 'Other people’s tokens, and you are no administrator.'], [404, 'There is no such token; the counts are zero.']],
          cases: [
            { title: 'A token nobody issued', expect: 404, body: { token: 'bm90LWEtdG9rZW4' } },
            { title: 'Two at once', expect: 400, body: { token: '{{access}}', username: '{{name}}' } },
            { title: 'Somebody else’s', expect: 403, body: { username: 'admin' }, plain: true },
          ],
        },
        { id: 'old-token', path: '/_xpack/security/oauth2/token', title: 'Get a pair, old form', as: 'none', body: OWN, about: 'As in versions 5.5 to 6.8: the body alone proves who asks.', answers: [[200, 'access_token, type, expires_in, refresh_token.'], [400, 'As above.'], NOBODY], cases: [{ title: 'Wrong password in the body', expect: 401, body: { ...PASSWORD, username: '{{scratch.name}}', password: 'not the password' } }, { title: 'A grant that is none', expect: 400, body: { grant_type: 'authorization_code' } }] },
        { id: 'old-invalidate', method: 'DELETE', path: '/_xpack/security/oauth2/token', title: 'End a token, old form', as: 'none', body: { token: '{{access}}' }, about: 'Answers created: true when the token was good until now. Whoever holds an access token can end it.', answers: [[200, 'created, and the counts.'], [401, 'The token is malformed or unknown.']], cases: [{ title: 'A token nobody issued', expect: 401, body: { token: 'bm90LWEtdG9rZW4' } }] },
      ],
    },
    {
      name: 'Users',
      routes: [
        { id: 'users', path: '/_security/user', title: 'All users', about: 'Every user, made in whichever dialect. For administrators and user managers.', answers: [[200, 'By name: username, roles, full_name, email, metadata, enabled.'], NOBODY, FORBIDDEN] },
        { id: 'user', path: '/_security/user/{{scratch.name}}', title: 'Some users', about: 'Users by name, several between commas.', answers: [[200, 'Those there are.'], NOBODY, FORBIDDEN, [404, 'There is none of them: {}.']], cases: [{ title: 'A path that is not UTF-8', expect: 400, path: '/_security/user/%ff' }] },
        {
          id: 'user-put', method: 'PUT', path: '/_security/user/made-{{random}}', title: 'Make or change a user', body: { password: '{{fresh}}', roles: ['db_viewer', 'reports'], full_name: 'Made Here', metadata: { floor: 3 } },
          about: 'What a user, new or not, is from now on. Full name, address and metadata that are left out are gone; the password and enabled stay. POST does the same.',
          fields: [['password', 'text', 'At least 6 characters, and as the policy has it. Needed for a new user; of an old one all tokens end.'], ['roles', 'list of names', 'At most one that grants something: superuser, cluster_member, cluster_viewer, db_member, db_viewer, user_manager. Every other name is kept, shown, and grants nothing.'], ['full_name, email', 'text or null', 'For people; no two users have one address.'], ['metadata', 'object', 'Kept and shown.'], ['enabled', 'true or false', 'Whether the user may log in.']],
          answers: [[200, 'created: whether the user is new.'], BAD, NOBODY, FORBIDDEN, [409, 'Another user goes by this address.']],
          cases: [
            { title: 'A new user without a password', expect: 400, body: { roles: [] } },
            { title: 'A password of five characters', expect: 400, body: { password: 'short', roles: [] } },
            { title: 'An address that is taken', expect: 409, body: { password: '{{fresh}}', roles: [], email: '{{scratch.name}}@example.com' } },
            { title: 'A hash in its place', expect: 400, body: { password_hash: '$2a$10$x', roles: [] } },
            { title: 'Two roles that grant something', expect: 400, body: { password: '{{fresh}}', roles: ['superuser', 'db_viewer'] } },
            { title: 'A member nobody knows', expect: 400, body: { roles: [], colour: 'red' } },
            { title: 'Another method', expect: 405, method: 'PATCH', body: '' },
          ],
        },
        { id: 'user-delete', method: 'DELETE', path: '/_security/user/{{scratch.name}}', title: 'Delete a user', about: 'All tokens of the user end too. The last superuser stays.', answers: [[200, 'found: true.'], [400, 'It is the last superuser.'], NOBODY, FORBIDDEN, [404, 'found: false.']], cases: [{ title: 'The last superuser', expect: 400, path: '/_security/user/{{name}}', tab: true }] },
        { id: 'user-password', method: 'PUT', path: '/_security/user/{{scratch.name}}/_password', title: 'Set a password', body: { password: '{{fresh}}' }, about: 'In place of all that the user had; tokens and locks end.', fields: [['password', 'text', 'At least 6 characters, and as the policy has it.']], answers: [[200, '{}'], BAD, NOBODY, FORBIDDEN], cases: [{ title: 'Too short', expect: 400, body: { password: 'short' } }, { title: 'Nobody’s', expect: 400, path: '/_security/user/nobody-here/_password' }] },
        { id: 'own-password', path: '/_security/user/_password', title: 'Change your own password', as: 'raw', raw: 'Basic {{scratch.basic}}', body: { password: '{{fresh}}' }, about: 'Everybody may, with their password, also an expired one; a token is not enough. Sent as a user made just for this.', answers: [[200, '{}'], [400, 'As above, or it is the one you have.'], NOBODY, [403, 'It was a token.']], cases: [{ title: 'With a token', expect: 403, as: 'raw', raw: 'Bearer {{access}}', plain: true }, { title: 'No password', expect: 400, body: {} }] },
        { id: 'disable', method: 'PUT', path: '/_security/user/{{scratch.name}}/_disable', title: 'Shut a user out', about: 'No login and no token works any more. Nobody does this to their own account.', answers: [[200, '{}'], [400, 'There is no such user, or it is yourself.'], NOBODY, FORBIDDEN], cases: [{ title: 'Nobody', expect: 400, path: '/_security/user/nobody-here/_disable' }, { title: 'Yourself', expect: 400, path: '/_security/user/{{name}}/_disable' }] },
        { id: 'enable', method: 'PUT', path: '/_security/user/{{scratch.name}}/_enable', title: 'Let a user in', about: 'Logins work again; tokens of before do not.', answers: [[200, '{}'], [400, 'As above.'], NOBODY, FORBIDDEN], cases: [{ title: 'Nobody', expect: 400, path: '/_security/user/nobody-here/_enable' }] },
        { id: 'old-user-put', method: 'PUT', path: '/_xpack/security/user/made-{{random}}', title: 'Make or change a user, old form', body: { password: '{{fresh}}', roles: [] }, about: 'All routes are under the old prefix too; this one answers as 6.8 did.', answers: [[200, 'user.created, and created.'], BAD, NOBODY, FORBIDDEN], cases: [{ title: 'Roles are missing', expect: 400, body: { password: '{{fresh}}' } }] },
      ],
    },
    {
      name: 'Roles',
      routes: [
        { id: 'roles', path: '/_security/role', title: 'All roles', about: 'Those that are built in, and those defined here, which grant nothing.', answers: [[200, 'By name, as they were defined.'], NOBODY, FORBIDDEN] },
        { id: 'role', path: '/_security/role/superuser', title: 'Some roles', about: 'Roles by name, several between commas.', answers: [[200, 'Those there are.'], NOBODY, FORBIDDEN, [404, 'There is none of them: {}.']] },
        { id: 'role-put', method: 'PUT', path: '/_security/role/reports', title: 'Define a role', body: { cluster: ['monitor'], indices: [{ names: ['logs-*'], privileges: ['read'] }] }, about: 'Kept and shown as it was sent, for set-ups that define roles. It grants nothing, as there are no indices. For administrators.', answers: [[200, 'role.created: whether it is new.'], BAD, NOBODY, [403, 'You are no administrator.']], cases: [{ title: 'One that is built in', expect: 400, path: '/_security/role/superuser' }, { title: 'A list that is none', expect: 400, body: { cluster: 'all' } }] },
        { id: 'role-delete', method: 'DELETE', path: '/_security/role/reports', title: 'Delete a role', about: 'The one defined above. Users keep its name.', answers: [[200, 'found: true.'], NOBODY, [403, 'You are no administrator.'], [404, 'found: false.']], cases: [{ title: 'One that is built in', expect: 400, path: '/_security/role/superuser' }] },
      ],
    },
    {
      name: 'Who and what',
      routes: [
        { id: 'authenticate', path: '/_security/_authenticate', title: 'Who am I', as: 'raw', raw: 'Bearer {{access}}', about: 'Whose the credentials are: a password or an access token of this dialect.', answers: [[200, 'username, roles, email, enabled and the realms.'], NOBODY], cases: [{ title: 'Wrong password', expect: 401, as: 'raw', raw: 'Basic {{wrong}}' }, { title: 'A token that is none', expect: 401, as: 'raw', raw: 'Bearer bm90LWEtdG9rZW4' }] },
        { id: 'old-authenticate', path: '/_xpack/security/_authenticate', title: 'Who am I, old form', as: 'password:@user', about: 'The same under the old prefix.', answers: [[200, 'The user.'], NOBODY] },
        { id: 'banner', path: '/', title: 'The banner', as: 'password:@user', headers: [['accept', 'application/json']], about: 'What official clients ask first. Browsers get this page instead.', answers: [[200, 'name, version, tagline.'], NOBODY] },
        { id: 'health', path: '/_cluster/health', title: 'Health', as: 'password:@user', about: 'What the documentation’s example asks for.', answers: [[200, 'status green, and numbers.'], NOBODY] },
      ],
    },
  ],
}
