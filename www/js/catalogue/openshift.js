// OpenShift v2 broker: `/broker/rest/…`.

const JSON_WANTED = [['accept', 'application/json']]
const NOBODY = [401, 'Nobody is recognised. The body is a short text, not the envelope: clients look at the status only.']
const SCOPE = [403, 'The token’s scope does not allow this.']

export const openshift = {
  id: 'openshift',
  name: 'OpenShift v2',
  about: 'Authorizations: long-lived tokens with scopes, which their owner can see again. Answers come in an envelope with status, data and messages, as JSON or XML.',
  groups: [
    {
      name: 'Start',
      routes: [
        { id: 'api', method: 'GET', path: '/broker/rest/api', title: 'What there is', as: 'none', headers: JSON_WANTED, expect: 200, about: 'The tree of links, with the scopes on offer. The only route that needs no credentials.', answers: [[200, 'Links, each with href, method and parameters.'], [406, 'The version asked for is not spoken here.']], cases: [{ title: 'A version from the future', expect: 406, headers: [['accept', 'application/json;version=9.9']] }, { title: 'As XML', expect: 200, headers: [['accept', 'application/xml']] }] },
        { id: 'user', method: 'GET', path: '/broker/rest/user', title: 'My account', as: 'password:@user', headers: JSON_WANTED, expect: 200, about: 'The account of whoever asks. The one thing a token with the scope userinfo may see.', answers: [[200, 'login, id, capabilities and more.'], NOBODY], cases: [{ title: 'Wrong password', expect: 401, as: 'wrong:@user' }, { title: 'No credentials', expect: 401, as: 'none' }, { title: 'Deleting the account', about: 'Only accounts that belong to another can be deleted here.', expect: 403, method: 'DELETE' }] },
      ],
    },
    {
      name: 'Authorizations',
      routes: [
        {
          id: 'add', method: 'POST', path: '/broker/rest/user/authorizations', title: 'Get an authorization', as: 'password:@user', headers: JSON_WANTED, type: 'json', body: { scope: 'session', note: 'my laptop', expires_in: 3600, reuse: false }, expect: 201,
          about: 'A token of 64 hex digits. How long it may live depends on its scope; what is asked for beyond the maximum becomes the maximum.',
          fields: [['scope', 'session, read, userinfo', 'session may everything; read may GET all but authorizations; userinfo may GET the account. userinfo when it is left out.'], ['note', 'up to 4096 characters', 'For the owner.'], ['expires_in', 'seconds', 'The scope’s default when it is left out or makes no sense.'], ['reuse', 'true or false', 'Gives a fitting authorization again that is still good for a while.']],
          answers: [[201, 'The authorization, with its token.'], [200, 'An older one, reused.'], NOBODY, SCOPE, [422, 'The scope is unknown, or the note too long.']],
          cases: [
            { title: 'A scope that is none', expect: 422, body: { scope: 'everything' } },
            { title: 'A life of ten years', about: 'Accepted, and cut to the maximum of seven days.', expect: 201, body: { scope: 'session', expires_in: 315360000 } },
            { title: 'A note of 4097 characters', expect: 422, body: { scope: 'session', note: 'x'.repeat(4097) } },
            { title: 'With a read token', about: 'A read token never makes, sees or ends an authorization.', expect: 403, as: 'raw', raw: 'Bearer {{read.token}}' },
            { title: 'As a form', expect: 201, type: 'form', body: 'scope=read&note=from+a+form' },
            { title: 'A body that is not JSON', expect: 400, body: '{"scope"' },
          ],
        },
        { id: 'list', method: 'GET', path: '/broker/rest/user/authorizations', title: 'My authorizations', as: 'password:@user', headers: JSON_WANTED, expect: 200, about: 'All that are still good, newest first, tokens included.', answers: [[200, 'An array of authorizations.'], NOBODY, SCOPE], cases: [{ title: 'With a read token', expect: 403, as: 'raw', raw: 'Bearer {{read.token}}' }, { title: 'A switch that is neither on nor off', expect: 422, path: '/broker/rest/user/authorizations?nolinks=perhaps' }] },
        { id: 'show', method: 'GET', path: '/broker/rest/user/authorizations/{{authorization}}', title: 'One authorization', as: 'password:@user', headers: JSON_WANTED, expect: 200, about: 'By its id, or by the token itself.', answers: [[200, 'The authorization.'], NOBODY, SCOPE, [404, 'There is none of yours by this id.']], cases: [{ title: 'An id nobody has', expect: 404, path: '/broker/rest/user/authorizations/000000000000000000000000' }] },
        { id: 'update', method: 'PUT', path: '/broker/rest/user/authorizations/{{authorization}}', title: 'Change the note', as: 'password:@user', headers: JSON_WANTED, type: 'json', body: { note: 'my other laptop' }, expect: 200, about: 'Nothing but the note changes.', fields: [['note', 'up to 4096 characters', '']], answers: [[200, 'The authorization as it is now.'], NOBODY, SCOPE, [404, 'There is none of yours by this id.'], [422, 'The note is too long.']] },
        { id: 'delete', method: 'DELETE', path: '/broker/rest/user/authorizations/{{authorization}}', title: 'End one', as: 'password:@user', headers: JSON_WANTED, expect: 200, about: 'Its token is refused from the next request on. Ending one that is gone already is fine.', answers: [[200, 'Ended.'], NOBODY, SCOPE], cases: [{ title: 'One that is not there', about: 'Revoking is idempotent.', expect: 200, path: '/broker/rest/user/authorizations/000000000000000000000000' }] },
        { id: 'delete-all', method: 'DELETE', path: '/broker/rest/user/authorizations?scope=read', title: 'End all with a scope', as: 'password:@user', headers: JSON_WANTED, expect: 200, about: 'With scope, those that contain it; without, all.', fields: [['scope', 'session, read, userinfo', 'May be left out.']], answers: [[200, 'Ended.'], NOBODY, SCOPE] },
      ],
    },
    {
      name: 'What clients ask besides',
      routes: [
        { id: 'keys', method: 'GET', path: '/broker/rest/user/keys', title: 'My SSH keys', as: 'password:@user', headers: JSON_WANTED, expect: 200, about: 'Public keys of the account.', answers: [[200, 'An array of keys.'], NOBODY] },
        { id: 'key-add', method: 'POST', path: '/broker/rest/user/keys', title: 'Add a key', as: 'password:@user', headers: JSON_WANTED, type: 'json', body: { name: 'laptop-{{random}}', type: 'ssh-ed25519', content: 'AAAAC3NzaC1lZDI1NTE5AAAAIB7cvbFAnZ7Zg3nJ4xAdb5Vx3Jq5J2Jw0m0v4nS2Yk5c' }, expect: 201, about: 'Adds a public key.', fields: [['name', 'text', ''], ['type', 'such as ssh-ed25519', ''], ['content', 'base64', '']], answers: [[201, 'The key.'], NOBODY, SCOPE, [409, 'There is a key of this name.'], [422, 'Something about it is not right.']], cases: [{ title: 'A name that is taken', expect: 409, body: { name: '{{key}}', type: 'ssh-ed25519', content: 'AAAA' } }, { title: 'No content', expect: 422, body: { name: 'laptop-{{random}}', type: 'ssh-ed25519' } }] },
        { id: 'key', method: 'GET', path: '/broker/rest/user/keys/{{key}}', title: 'One key', as: 'password:@user', headers: JSON_WANTED, expect: 200, about: 'A public key by its name.', answers: [[200, 'The key.'], NOBODY, [404, 'There is no key of this name.']], cases: [{ title: 'A name no key has', expect: 404, path: '/broker/rest/user/keys/none' }] },
        { id: 'key-change', method: 'PUT', path: '/broker/rest/user/keys/{{key}}', title: 'Change a key', as: 'password:@user', headers: JSON_WANTED, type: 'json', body: { type: 'ssh-ed25519', content: 'AAAAC3NzaC1lZDI1NTE5AAAAIJ2bVQd0pYbq0JvXkUQm0fS6uQy3WgKq0nH1yq2mZ9aB' }, expect: 200, about: 'Another type and content under the same name.', fields: [['type', 'such as ssh-ed25519', ''], ['content', 'base64', '']], answers: [[200, 'The key as it is now.'], NOBODY, SCOPE, [404, 'There is no key of this name.'], [422, 'Something about it is not right.']] },
        { id: 'key-delete', method: 'DELETE', path: '/broker/rest/user/keys/{{key}}', title: 'Remove a key', as: 'password:@user', headers: JSON_WANTED, expect: 200, about: 'The key is gone.', answers: [[200, 'Removed.'], NOBODY, SCOPE, [404, 'There is no key of this name.']] },
        { id: 'domains', method: 'GET', path: '/broker/rest/domains', title: 'Domains', as: 'password:@user', headers: JSON_WANTED, expect: 200, about: 'Always empty: there are no applications here. The client’s set-up wants to hear so.', answers: [[200, 'An empty array.'], NOBODY] },
        { id: 'cartridges', method: 'GET', path: '/broker/rest/cartridges', title: 'Cartridges', as: 'password:@user', headers: JSON_WANTED, expect: 200, about: 'Always empty, for the same reason.', answers: [[200, 'An empty array.'], NOBODY] },
      ],
    },
  ],
}
