// OpenShift v2 broker: `/broker/rest/…`.

const NOBODY = [401, 'Nobody is recognised. The body is a short text, not the envelope.']
const SCOPE = [403, 'The token’s scope does not allow this.']
const READ = { title: 'With a read token', as: 'raw', raw: 'Bearer {{read.token}}', plain: false }
const LONG = { title: 'A note of 4097 characters', expect: 422, body: { scope: 'session', note: 'x'.repeat(4097) } }

export const openshift = {
  id: 'openshift',
  as: 'password:@user',
  headers: [['accept', 'application/json']],
  denied: READ,
  name: 'OpenShift v2',
  about: 'Authorizations: long-lived tokens with scopes, which their owner can see again. Answers have status, data and messages, as JSON or XML.',
  groups: [
    {
      name: 'Start',
      routes: [
        { id: 'api', path: '/broker/rest/api', title: 'What there is', as: 'none', about: 'The tree of links, with the scopes on offer. Needs no credentials.', answers: [[200, 'Links, each with href, method and parameters.'], [406, 'The version asked for is not spoken here.']], cases: [{ title: 'A version from the future', expect: 406, headers: [['accept', 'application/json;version=9.9']] }, { title: 'As XML', expect: 200, headers: [['accept', 'application/xml']] }] },
        { id: 'user', path: '/broker/rest/user', title: 'My account', about: 'Whoever asks. All that the scope userinfo may see.', answers: [[200, 'login, id, capabilities and more.'], NOBODY], cases: [{ title: 'Wrong password', expect: 401, as: 'raw', raw: 'Basic {{wrong}}' }, { title: 'Deleting the account', about: 'Only accounts that belong to another can be deleted here.', expect: 403, method: 'DELETE' }] },
      ],
    },
    {
      name: 'Authorizations',
      routes: [
        {
          id: 'add', path: '/broker/rest/user/authorizations', title: 'Get an authorization', body: { scope: 'session', note: 'my laptop', expires_in: 3600, reuse: false },
          about: 'A token of 64 hex digits. Its scope has a longest life, to which longer ones are cut.',
          fields: [['scope', 'session, read, userinfo', 'session may everything; read may GET all but authorizations; userinfo may GET the account. userinfo when it is left out.'], ['note', 'up to 4096 characters', 'For the owner.'], ['expires_in', 'seconds', 'The scope’s default when it is left out or makes no sense.'], ['reuse', 'true or false', 'Gives one again that fits and is good for a while.']],
          answers: [[201, 'The authorization, with its token.'], [200, 'An older one, reused.'], NOBODY, SCOPE, [422, 'The scope is unknown, or the note too long.']],
          cases: [
            { title: 'A scope that is none', expect: 422, body: { scope: 'everything' } },
            { title: 'A life of ten years', about: 'Accepted, and cut to the maximum of seven days.', expect: 201, body: { scope: 'session', expires_in: 315360000 } },
            LONG,
            { ...READ, about: 'A read token never makes, sees or ends an authorization.', expect: 403 },
            { title: 'As a form', expect: 201, type: 'form', body: 'scope=read&note=from+a+form' },
            { title: 'A body that is not JSON', expect: 400, body: '{"scope"' },
          ],
        },
        { id: 'list', path: '/broker/rest/user/authorizations', title: 'My authorizations', about: 'All that are still good, newest first, tokens included.', answers: [[200, 'An array of authorizations.'], NOBODY, SCOPE], cases: [{ title: 'A switch that is neither on nor off', expect: 422, path: '/broker/rest/user/authorizations?nolinks=perhaps' }] },
        { id: 'show', path: '/broker/rest/user/authorizations/{{authorization}}', title: 'One authorization', about: 'By its id, or by the token itself.', answers: [[200, 'The authorization.'], NOBODY, SCOPE, [404, 'There is none of yours by this id.']] },
        { id: 'update', method: 'PUT', path: '/broker/rest/user/authorizations/{{authorization}}', title: 'Change the note', body: { note: 'my other laptop' }, about: 'Nothing but the note changes.', fields: [['note', 'up to 4096 characters', '']], answers: [[200, 'The authorization as it is now.'], NOBODY, SCOPE, [404, 'There is none of yours by this id.'], [422, 'The note is too long.']], cases: [LONG] },
        { id: 'delete', method: 'DELETE', path: '/broker/rest/user/authorizations/{{authorization}}', title: 'End one', about: 'Its token is refused from the next request on. One that is gone already is fine.', answers: [[200, 'Ended.'], NOBODY, SCOPE], cases: [{ title: 'One that is not there', about: 'Revoking is idempotent.', expect: 200, path: '/broker/rest/user/authorizations/000000000000000000000000' }] },
        { id: 'delete-all', method: 'DELETE', path: '/broker/rest/user/authorizations?scope=read', title: 'End all with a scope', about: 'With scope, those that contain it; without, all.', fields: [['scope', 'session, read, userinfo', 'May be left out.']], answers: [[200, 'Ended.'], NOBODY, SCOPE] },
      ],
    },
    {
      name: 'What clients ask besides',
      routes: [
        { id: 'keys', path: '/broker/rest/user/keys', title: 'My SSH keys', about: 'Public keys of the account.', answers: [[200, 'An array of keys.'], NOBODY] },
        { id: 'key-add', path: '/broker/rest/user/keys', title: 'Add a key', body: { name: 'laptop-{{random}}', type: 'ssh-ed25519', content: 'AAAAC3NzaC1lZDI1NTE5' }, about: 'Adds a public key.', fields: [['name', 'text', ''], ['type', 'such as ssh-ed25519', ''], ['content', 'base64', '']], answers: [[201, 'The key.'], NOBODY, SCOPE, [409, 'There is a key of this name.'], [422, 'Something about it is not right.']], cases: [{ title: 'A name that is taken', expect: 409, body: { name: '{{key}}', type: 'ssh-ed25519', content: 'AAAA' } }, { title: 'No content', expect: 422, body: { name: 'laptop-{{random}}', type: 'ssh-ed25519' } }] },
        { id: 'key', path: '/broker/rest/user/keys/{{key}}', title: 'One key', about: 'A public key by its name.', answers: [[200, 'The key.'], NOBODY, [404, 'There is no key of this name.']] },
        { id: 'key-change', method: 'PUT', path: '/broker/rest/user/keys/{{key}}', title: 'Change a key', body: { type: 'ssh-ed25519', content: 'AAAAC3NzaC1lZDI1NTE5' }, about: 'Another type and content under the same name.', fields: [['type', 'such as ssh-ed25519', ''], ['content', 'base64', '']], answers: [[200, 'The key as it is now.'], NOBODY, SCOPE, [404, 'There is no key of this name.'], [422, 'Something about it is not right.']], cases: [{ title: 'No content', expect: 422, body: { type: 'ssh-ed25519' } }] },
        { id: 'key-delete', method: 'DELETE', path: '/broker/rest/user/keys/{{key}}', title: 'Remove a key', about: 'The key is gone.', answers: [[200, 'Removed.'], NOBODY, SCOPE, [404, 'There is no key of this name.']] },
        { id: 'domains', path: '/broker/rest/domains', title: 'Domains', about: 'Always empty, as there are no applications; clients ask when they are set up.', answers: [[200, 'An empty array.'], NOBODY] },
        { id: 'cartridges', path: '/broker/rest/cartridges', title: 'Cartridges', about: 'Always empty, for the same reason.', answers: [[200, 'An empty array.'], NOBODY] },
      ],
    },
  ],
}
