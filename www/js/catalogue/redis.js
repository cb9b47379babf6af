// Redis Enterprise Software: `/v1/…`.

const UNAUTHORIZED = [401, 'Nobody is recognised. Wrong password, unknown user and locked user get one answer.']
const FORBIDDEN = [403, 'You are known, but your role may not do this.']
const WRONG_OLD = { title: 'A wrong old password', expect: 401, body: { username: '{{scratch.name}}', old_password: 'not the password', new_password: '{{fresh}}' } }

export const redis = {
  id: 'redis',
  as: 'password:@admin',
  name: 'Redis Enterprise',
  about: 'Tokens, lists of passwords, users and policies. Every success is 200; errors say error_code and description.',
  groups: [
    {
      name: 'Tokens',
      routes: [
        {
          id: 'authorize', path: '/v1/users/authorize', title: 'Get a token', as: 'password:@user',
          body: { ttl: 600 },
          about: 'Trades a name and a password for a signed token (a JWT). A body is not needed.',
          fields: [['ttl', 'whole seconds, 1 to 86400', 'How long the token lives; 300 when it is left out.']],
          answers: [[200, 'access_token, the token.'], [400, 'The body is not JSON, or ttl is out of bounds.'], [401, 'As below; password_expired when the password is right but too old.']],
          cases: [
            { title: 'Wrong password', expect: 401, as: 'raw', raw: 'Basic {{wrong}}' },
            { title: 'Unknown user', about: 'Octet for octet as for a wrong password.', expect: 401, as: 'unknown' },
            { title: 'A token instead of a password', about: 'refresh_jwt prolongs a token.', expect: 401, as: 'token:@user' },
            { title: 'Locked after five wrong passwords', about: 'A user made for this, five wrong passwords, then the right one.', expect: 401, as: 'raw', raw: 'Basic {{locked}}' },
            { title: 'A life of 0 s', expect: 400, body: { ttl: 0 } },
            { title: 'A life of a day and a second', expect: 400, body: { ttl: 86401 } },
            { title: 'A life in quotes', expect: 400, body: { ttl: '60' } },
            { title: 'A body that is not JSON', expect: 400, body: '{"ttl": 60' },
            { title: 'Another method', about: 'Allow names those there are.', expect: 405, method: 'GET', body: '' },
          ],
        },
        {
          id: 'refresh', path: '/v1/users/refresh_jwt', title: 'Prolong a token', as: 'token:@user',
          body: { ttl: 900 },
          about: 'A new token for one that is good, and stays so until its end.',
          fields: [['ttl', 'whole seconds, 1 to 86400', 'How long the token lives; 300 when it is left out.']],
          answers: [[200, 'access_token, the new token.'], [400, 'As for getting one.'], [401, 'The token is not good, or the password of its user has expired.']],
          cases: [
            { title: 'An expired token', about: 'Gets a token of one second and waits for it to end.', expect: 401, as: 'raw', raw: 'Bearer {{expired}}' },
            { title: 'A forged token', about: 'It names another user: the signature does not hold.', expect: 401, as: 'raw', raw: 'Bearer {{forged}}' },
            { title: 'A revoked token', expect: 401, as: 'raw', raw: 'Bearer {{revoked}}' },
            { title: 'A password instead of a token', expect: 401, as: 'password:@user' },
            { title: 'A life of 0 s', expect: 400, body: { ttl: 0 } },
          ],
        },
      ],
    },
    {
      name: 'Passwords',
      routes: [
        {
          id: 'password-add', path: '/v1/users/password', title: 'Add a password',
          body: { username: '{{scratch.name}}', old_password: '{{scratch.password}}', new_password: '{{fresh}}' },
          about: 'A user has a list of passwords, and each of them signs in.',
          fields: [
            ['username', 'name or e-mail', 'Whose list; the caller’s own when it is left out.'],
            ['new_password', 'text', 'Must meet the policy and not be in the list yet.'],
            ['old_password', 'text', 'One of the list. Needed without an Authorization header, as up to version 7.4.'],
          ],
          answers: [[200, 'Added; the body is empty.'], [400, 'password_not_complex, new_password_same_as_current, missing_field.'], [401, 'old_password is none of the list.'], [403, 'unauthorized_action: another user’s list, and you are no administrator.'], [404, 'user_not_exist, told to administrators only.']],
          cases: [
            { title: 'Already in the list', expect: 400, body: { username: '{{scratch.name}}', new_password: '{{scratch.password}}' } },
            { title: 'Without a header, as up to 7.4', about: 'The body itself proves who asks.', expect: 200, as: 'none' },
            { title: 'Without a header and a field missing', expect: 400, as: 'none', body: { username: '{{user.name}}', new_password: '{{fresh}}' } },
            WRONG_OLD,
            { title: 'Somebody else’s list', expect: 403, as: 'password:@user', plain: true, body: { username: 'admin', new_password: '{{fresh}}' } },
            { title: 'A user who is not there', expect: 404, body: { username: 'nobody-here', new_password: '{{fresh}}' } },
            { title: 'An empty password', expect: 400, body: { username: '{{scratch.name}}', new_password: '' } },
          ],
        },
        {
          id: 'password-replace', method: 'PUT', path: '/v1/users/password', title: 'Replace all passwords',
          body: { username: '{{scratch.name}}', old_password: '{{scratch.password}}', new_password: '{{fresh}}' },
          about: 'The new password is the only one from then on, and tokens issued before end.',
          fields: [['username', 'name or e-mail', 'As for adding.'], ['new_password', 'text', 'The only password from now on.'], ['old_password', 'text', 'As for adding.']],
          answers: [[200, 'Replaced; the body is empty.'], [400, 'password_not_complex, new_password_same_as_current, missing_field.'], UNAUTHORIZED, FORBIDDEN],
          cases: [
            WRONG_OLD,
            { title: 'Without a header, as up to 7.4', expect: 200, as: 'none' },
            { title: 'The same password again', expect: 400, body: { username: '{{scratch.name}}', new_password: '{{scratch.password}}' } },
            { title: 'No body at all', expect: 400, body: '' },
          ],
        },
        {
          id: 'password-delete', method: 'DELETE', path: '/v1/users/password', title: 'Remove a password',
          body: { username: '{{scratch.name}}', old_password: '{{scratch.password}}' },
          about: 'Takes one password out of the list. The last one stays, so that this is refused as it stands. See the view “Passwords”.',
          fields: [['username', 'name or e-mail', 'As for adding.'], ['old_password', 'text', 'Which password goes.']],
          answers: [[200, 'Removed; the body is empty.'], [400, 'cannot_delete_last_password.'], [401, 'There is no such password in the list.'], FORBIDDEN],
          cases: [
            { title: 'The last one, without a header', expect: 400, as: 'none' },
            { title: 'One that is not in the list', expect: 401, body: { username: '{{scratch.name}}', old_password: 'not the password' } },
          ],
        },
      ],
    },
    {
      name: 'Users',
      routes: [
        {
          id: 'users', path: '/v1/users', title: 'All users',
          about: 'Every user as an object; never a password or a hash.',
          answers: [[200, 'An array of users.'], UNAUTHORIZED, FORBIDDEN],
        },
        {
          id: 'user-create', path: '/v1/users', title: 'Create a user',
          body: { name: 'grace-{{random}}', email: 'grace-{{random}}@example.com', password: '{{fresh}}', role: 'db_viewer' },
          about: 'A user for all dialects at once.',
          fields: [
            ['name', '1 to 255 printable ASCII characters', 'No blank at either end. Unique, also among e-mail addresses.'],
            ['password', 'text', 'Must meet the policy.'],
            ['email', 'address', 'May be left out.'],
            ['role', 'admin, cluster_member, cluster_viewer, db_member, db_viewer, user_manager, none', 'db_viewer when neither role nor role_uids is given.'],
            ['email_alerts', 'true or false', 'Kept and shown, nothing more.'],
          ],
          answers: [[200, 'The user.'], [400, 'invalid_schema, missing_field, password_not_complex.'], FORBIDDEN, [409, 'name_already_exists, email_already_exists.']],
          cases: [
            { title: 'A name that is taken', expect: 409, body: { name: '{{user.name}}', password: '{{fresh}}' } },
            { title: 'No name', expect: 400, body: { password: '{{fresh}}' } },
            { title: 'An address that is taken', expect: 409, body: { name: 'grace-{{random}}', email: '{{scratch.name}}@example.com', password: '{{fresh}}' } },
            { title: 'A role that is none', expect: 400, body: { name: 'grace-{{random}}', password: '{{fresh}}', role: 'emperor' } },
            { title: 'A member twice', about: 'Readers of such JSON must guess; this server does not.', expect: 400, body: '{"name": "grace-{{random}}", "name": "heidi-{{random}}", "password": "{{fresh}}"}' },
          ],
        },
        {
          id: 'user', path: '/v1/users/{{uid}}', title: 'One user', as: 'token:@user',
          about: 'Users may see themselves.',
          answers: [[200, 'The user, with status active, locked or password_expired.'], UNAUTHORIZED, FORBIDDEN, [404, 'There is no such user.']],
          cases: [
            { title: 'A number nobody has', expect: 404, as: 'password:@admin', path: '/v1/users/999999' },
            { title: 'Somebody else', expect: 403, path: '/v1/users/1', plain: true },
          ],
        },
        {
          id: 'user-change', method: 'PUT', path: '/v1/users/{{scratch.uid}}', title: 'Change a user',
          body: { role: 'db_member', email_alerts: false },
          about: 'Only what is named changes. A password replaces the list and ends a lock.',
          fields: [['email', 'address', 'Only those who manage users change it.'], ['role', 'as for creating', ''], ['password', 'text', 'Replaces the list.'], ['email_alerts', 'true or false', '']],
          answers: [[200, 'The user after the change.'], [400, 'invalid_schema, password_not_complex.'], FORBIDDEN, [404, 'There is no such user.'], [406, 'change_last_admin_role_not_allowed.'], [409, 'email_already_exists.']],
          cases: [
            { title: 'A role that is none', expect: 400, body: { role: 'emperor' } },
            { title: 'An address that is taken', expect: 409, path: '/v1/users/{{uid}}', body: { email: '{{scratch.name}}@example.com' } },
            { title: 'The last administrator steps down', expect: 406, path: '/v1/users/1', body: { role: 'db_viewer' }, tab: true },
          ],
        },
        {
          id: 'user-delete', method: 'DELETE', path: '/v1/users/{{scratch.uid}}', title: 'Delete a user',
          about: 'Gone from all dialects, with all tokens. The number is never given again.',
          answers: [[200, 'Deleted.'], FORBIDDEN, [404, 'There is no such user.'], [406, 'The last administrator stays.']],
          cases: [{ title: 'The last administrator', expect: 406, path: '/v1/users/1', tab: true }],
        },
      ],
    },
    {
      name: 'Roles',
      routes: [
        { id: 'roles', path: '/v1/roles', title: 'All roles', about: 'Those that are built in, with their numbers.', answers: [[200, 'An array of roles.'], UNAUTHORIZED] },
        { id: 'role', path: '/v1/roles/5', title: 'One role', about: 'A role by number.', answers: [[200, 'The role.'], [404, 'There is no such role.']] },
        { id: 'own-role', path: '/v1/users/role', title: 'My role', as: 'token:@user', about: 'The role of whoever asks.', answers: [[200, 'role.'], UNAUTHORIZED] },
        { id: 'permissions', path: '/v1/users/permissions', title: 'Permissions', as: 'token:@user', about: 'What each role may do; with a role behind it, that one.', answers: [[200, 'An object with the permissions of each role.'], [404, 'There is no such role.']], cases: [{ title: 'A role that is none', expect: 404, path: '/v1/users/permissions/emperor' }] },
      ],
    },
    {
      name: 'Policies',
      routes: [
        { id: 'cluster', path: '/v1/cluster', title: 'Rules for passwords', about: 'The rules for passwords in force, and the cluster’s name.', answers: [[200, 'password_complexity, password_min_length, password_expiration_duration and more.'], UNAUTHORIZED] },
        {
          id: 'cluster-change', method: 'PUT', path: '/v1/cluster', title: 'Change the rules', body: { password_min_length: 12 },
          about: 'Complexity counts for new passwords; expiry from the day a password was set.',
          fields: [['password_complexity', 'true or false', 'Upper and lower case, a digit, a special character, nothing four times in a row, no e-mail address.'], ['password_min_length', '8 to 256', 'Counts only with complexity.'], ['password_expiration_duration', '0 to 36500 days', '0 is never.']],
          answers: [[200, 'The cluster as it is now.'], [400, 'invalid_schema.'], FORBIDDEN],
          cases: [
            { title: 'Too short a minimum', expect: 400, body: { password_min_length: 7 } },
          ],
        },
        { id: 'policy', path: '/v1/cluster/policy', title: 'Rules for lockouts', about: 'After how many failures a user is locked out, and for how long.', answers: [[200, 'login_lockout_threshold, login_lockout_counter_reset_after, login_lockout_duration.'], UNAUTHORIZED] },
        {
          id: 'policy-change', method: 'PUT', path: '/v1/cluster/policy', title: 'Change the lockout', body: { login_lockout_duration: 1800 },
          about: 'Takes effect at the next failure.',
          fields: [['login_lockout_threshold', 'failures', '0 switches the lockout off.'], ['login_lockout_counter_reset_after', 'seconds', 'Failures further apart count from one again.'], ['login_lockout_duration', 'seconds', '0: until an administrator resets the password.']],
          answers: [[200, 'The policy as it is now.'], [400, 'invalid_schema.'], FORBIDDEN],
          cases: [{ title: 'A negative time', expect: 400, body: { login_lockout_duration: -1 } }],
        },
        { id: 'hashing', method: 'PATCH', path: '/v1/cluster/change_password_hashing_algorithm', title: 'Change the hash', body: { algorithm: 'PBKDF2' }, about: 'The one here is stronger than both of the product’s, so no change is taken.', fields: [['algorithm', 'text', 'SHA-256 or PBKDF2 in the product.']], answers: [[400, 'invalid_schema, always: it is a setting of the server.'], FORBIDDEN] },
      ],
    },
  ],
}
