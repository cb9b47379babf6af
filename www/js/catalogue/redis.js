// Redis Enterprise Software: `/v1/…`.

const UNAUTHORIZED = [401, 'Nobody is recognised. Wrong password, unknown user and locked user get one answer, so that nothing is given away.']
const FORBIDDEN = [403, 'You are known, but your role may not do this.']

export const redis = {
  id: 'redis',
  name: 'Redis Enterprise',
  about: 'Tokens for a name and a password, lists of passwords, users and policies. Every success is 200; errors say error_code and description.',
  groups: [
    {
      name: 'Tokens',
      routes: [
        {
          id: 'authorize', method: 'POST', path: '/v1/users/authorize', title: 'Get a token', as: 'password:@user',
          type: 'json', body: { ttl: 600 }, expect: 200,
          about: 'Trades a name and a password for a signed token (a JWT). The header says who; a body is not needed.',
          fields: [['ttl', 'whole seconds, 1 to 86400', 'How long the token lives; 300 when it is left out. Outside the bounds the request is refused, not cut.']],
          answers: [[200, 'access_token, the token.'], [400, 'The body is not JSON, or ttl is not within its bounds.'], [401, 'As below; password_expired when the password is right but too old.']],
          cases: [
            { title: 'Wrong password', expect: 401, code: 'unauthorized', as: 'wrong:@user' },
            { title: 'Unknown user', about: 'Octet for octet the answer to a wrong password.', expect: 401, code: 'unauthorized', as: 'unknown' },
            { title: 'No credentials', expect: 401, code: 'unauthorized', as: 'none' },
            { title: 'A token instead of a password', about: 'A token is prolonged by refresh_jwt, not here.', expect: 401, code: 'unauthorized', as: 'token:@user' },
            { title: 'Locked after five wrong passwords', about: 'Makes a user, tries five wrong passwords, then the right one: refused all the same.', expect: 401, code: 'unauthorized', as: 'raw', raw: 'Basic {{locked}}', admin: true },
            { title: 'A life of 0 s', expect: 400, code: 'invalid_schema', body: { ttl: 0 } },
            { title: 'A life of a day and a second', expect: 400, code: 'invalid_schema', body: { ttl: 86401 } },
            { title: 'A life in quotes', expect: 400, code: 'invalid_schema', body: { ttl: '60' } },
            { title: 'A body that is not JSON', expect: 400, code: 'invalid_schema', body: '{"ttl": 60' },
            { title: 'Another method', about: 'Allow names those there are.', expect: 405, code: 'method_not_allowed', method: 'GET', body: '' },
          ],
        },
        {
          id: 'refresh', method: 'POST', path: '/v1/users/refresh_jwt', title: 'Prolong a token', as: 'token:@user',
          type: 'json', body: { ttl: 900 }, expect: 200,
          about: 'A new token for one that is still good. The old one stays good until its own end.',
          fields: [['ttl', 'whole seconds, 1 to 86400', 'Life of the new token; 300 when it is left out.']],
          answers: [[200, 'access_token, the new token.'], [400, 'As for getting one.'], [401, 'The token is not good, or the password of its user has expired.']],
          cases: [
            { title: 'An expired token', about: 'Gets a token of one second and waits for it to end.', expect: 401, code: 'unauthorized', as: 'raw', raw: 'Bearer {{expired}}' },
            { title: 'A forged token', about: 'It names another user: the signature does not hold.', expect: 401, code: 'unauthorized', as: 'raw', raw: 'Bearer {{forged}}' },
            { title: 'A revoked token', expect: 401, code: 'unauthorized', as: 'raw', raw: 'Bearer {{revoked}}' },
            { title: 'A password instead of a token', expect: 401, code: 'unauthorized', as: 'password:@user' },
          ],
        },
      ],
    },
    {
      name: 'Passwords',
      routes: [
        {
          id: 'password-add', method: 'POST', path: '/v1/users/password', title: 'Add a password', as: 'password:@admin',
          type: 'json', body: { username: '{{scratch.name}}', old_password: '{{scratch.password}}', new_password: 'Second-Boat-{{random}}-8' }, expect: 200,
          about: 'A user has a list of passwords and each of them signs in. Adding one leaves the others as they are.',
          fields: [
            ['username', 'name or e-mail', 'Whose list; the caller’s own when it is left out.'],
            ['new_password', 'text', 'What is added. It must meet the policy and not be in the list yet.'],
            ['old_password', 'text', 'One of the present passwords. Needed when there is no Authorization header, as up to version 7.4.'],
          ],
          answers: [[200, 'Added; the body is empty.'], [400, 'password_not_complex, new_password_same_as_current, missing_field.'], [401, 'old_password is none of the list.'], [403, 'unauthorized_action: another user’s list, and you are no administrator.'], [404, 'user_not_exist, told to administrators only.']],
          cases: [
            { title: 'Already in the list', expect: 400, code: 'new_password_same_as_current', body: { username: '{{scratch.name}}', new_password: '{{scratch.password}}' }, admin: true },
            { title: 'Without a header, as up to 7.4', about: 'The body itself proves who asks.', expect: 200, as: 'none', admin: true },
            { title: 'Without a header and a field missing', expect: 400, code: 'missing_field', as: 'none', body: { username: '{{user.name}}', new_password: 'Second-Boat-{{random}}-8' } },
            { title: 'A wrong old password', expect: 401, code: 'unauthorized', body: { username: '{{scratch.name}}', old_password: 'not the password', new_password: 'Second-Boat-{{random}}-8' }, admin: true },
            { title: 'Somebody else’s list', expect: 403, code: 'unauthorized_action', as: 'password:@user', body: { username: 'admin', new_password: 'Second-Boat-{{random}}-8' } },
            { title: 'A user who is not there', expect: 404, code: 'user_not_exist', body: { username: 'nobody-here', new_password: 'Second-Boat-{{random}}-8' }, admin: true },
            { title: 'An empty password', expect: 400, code: 'invalid_schema', body: { username: '{{scratch.name}}', new_password: '' }, admin: true },
          ],
        },
        {
          id: 'password-replace', method: 'PUT', path: '/v1/users/password', title: 'Replace all passwords', as: 'password:@admin',
          type: 'json', body: { username: '{{scratch.name}}', old_password: '{{scratch.password}}', new_password: 'Only-Boat-{{random}}-9' }, expect: 200,
          about: 'The new password is the only one from then on. The others stop working at once, and tokens issued before end.',
          fields: [['username', 'name or e-mail', 'As for adding.'], ['new_password', 'text', 'The only password from now on.'], ['old_password', 'text', 'As for adding.']],
          answers: [[200, 'Replaced; the body is empty.'], [400, 'password_not_complex, new_password_same_as_current, missing_field.'], UNAUTHORIZED, FORBIDDEN],
          cases: [
            { title: 'The same password again', expect: 400, code: 'new_password_same_as_current', body: { username: '{{scratch.name}}', new_password: '{{scratch.password}}' }, admin: true },
            { title: 'No body at all', expect: 400, code: 'empty_request', body: '' },
          ],
        },
        {
          id: 'password-delete', method: 'DELETE', path: '/v1/users/password', title: 'Remove a password', as: 'password:@admin',
          type: 'json', body: { username: '{{scratch.name}}', old_password: '{{scratch.password}}' }, expect: 400,
          about: 'Takes one password out of the list. The last one stays: sent as it stands here, the request is refused for that reason. Add a second one first, or see the view “Passwords”.',
          fields: [['username', 'name or e-mail', 'As for adding.'], ['old_password', 'text', 'Which password goes.']],
          answers: [[200, 'Removed; the body is empty.'], [400, 'cannot_delete_last_password.'], [401, 'There is no such password in the list.'], FORBIDDEN],
          cases: [
            { title: 'The last one', expect: 400, code: 'cannot_delete_last_password', admin: true },
            { title: 'One that is not in the list', expect: 401, code: 'unauthorized', body: { username: '{{scratch.name}}', old_password: 'not the password' }, admin: true },
          ],
        },
      ],
    },
    {
      name: 'Users',
      routes: [
        {
          id: 'users', method: 'GET', path: '/v1/users', title: 'All users', as: 'password:@admin', expect: 200,
          about: 'Every user as an object; never a password or a hash.',
          answers: [[200, 'An array of users.'], UNAUTHORIZED, FORBIDDEN],
          cases: [{ title: 'As somebody who may not', expect: 403, code: 'unauthorized_action', as: 'token:@user', plain: true }],
        },
        {
          id: 'user-create', method: 'POST', path: '/v1/users', title: 'Create a user', as: 'password:@admin',
          type: 'json', body: { name: 'grace-{{random}}', email: 'grace-{{random}}@example.com', password: 'Quiet-Harbour-{{random}}-3', role: 'db_viewer' }, expect: 200,
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
            { title: 'A name that is taken', expect: 409, code: 'name_already_exists', body: { name: '{{user.name}}', password: 'Quiet-Harbour-{{random}}-3' }, admin: true },
            { title: 'No name', expect: 400, code: 'missing_field', body: { password: 'Quiet-Harbour-{{random}}-3' }, admin: true },
            { title: 'A role that is none', expect: 400, code: 'invalid_schema', body: { name: 'grace-{{random}}', password: 'Quiet-Harbour-{{random}}-3', role: 'emperor' }, admin: true },
            { title: 'A member twice', about: 'Whoever reads such JSON must guess; this server does not.', expect: 400, code: 'invalid_schema', body: '{"name": "grace-{{random}}", "name": "heidi-{{random}}", "password": "Quiet-Harbour-{{random}}-3"}', admin: true },
            { title: 'As somebody who may not', expect: 403, code: 'unauthorized_action', as: 'password:@user', plain: true },
          ],
        },
        {
          id: 'user', method: 'GET', path: '/v1/users/{{uid}}', title: 'One user', as: 'token:@user', expect: 200,
          about: 'A user by number. Everybody may see himself.',
          answers: [[200, 'The user, with status active, locked or password_expired.'], UNAUTHORIZED, FORBIDDEN, [404, 'There is no such user.']],
          cases: [
            { title: 'A number nobody has', expect: 404, code: 'user_not_exist', as: 'password:@admin', path: '/v1/users/999999', admin: true },
            { title: 'Somebody else', expect: 403, code: 'unauthorized_action', path: '/v1/users/1', plain: true },
          ],
        },
        {
          id: 'user-change', method: 'PUT', path: '/v1/users/{{scratch.uid}}', title: 'Change a user', as: 'password:@admin',
          type: 'json', body: { role: 'db_member', email_alerts: false }, expect: 200,
          about: 'Only what is named changes. A password given here replaces the whole list and ends a lock.',
          fields: [['email', 'address', 'Only those who manage users change it.'], ['role', 'as for creating', ''], ['password', 'text', 'Replaces the list.'], ['email_alerts', 'true or false', '']],
          answers: [[200, 'The user as he is now.'], [400, 'invalid_schema, password_not_complex.'], FORBIDDEN, [404, 'There is no such user.'], [406, 'change_last_admin_role_not_allowed.'], [409, 'email_already_exists.']],
          cases: [{ title: 'The last administrator steps down', expect: 406, code: 'change_last_admin_role_not_allowed', path: '/v1/users/1', body: { role: 'db_viewer' }, admin: true }],
        },
        {
          id: 'user-delete', method: 'DELETE', path: '/v1/users/{{scratch.uid}}', title: 'Delete a user', as: 'password:@admin', expect: 200,
          about: 'Gone from all dialects, and all his tokens with him. The number is never given again.',
          answers: [[200, 'Deleted.'], FORBIDDEN, [404, 'There is no such user.'], [406, 'The last administrator stays.']],
          cases: [{ title: 'The last administrator', expect: 406, code: 'change_last_admin_role_not_allowed', path: '/v1/users/1', admin: true }],
        },
      ],
    },
    {
      name: 'Roles',
      routes: [
        { id: 'roles', method: 'GET', path: '/v1/roles', title: 'All roles', as: 'password:@admin', expect: 200, about: 'The roles that are built in, with their numbers.', answers: [[200, 'An array of roles.'], UNAUTHORIZED] },
        { id: 'role', method: 'GET', path: '/v1/roles/5', title: 'One role', as: 'password:@admin', expect: 200, about: 'A role by number.', answers: [[200, 'The role.'], [404, 'There is no such role.']], cases: [{ title: 'A number no role has', expect: 404, path: '/v1/roles/99' }] },
        { id: 'own-role', method: 'GET', path: '/v1/users/role', title: 'My role', as: 'token:@user', expect: 200, about: 'The role of whoever asks.', answers: [[200, 'role.'], UNAUTHORIZED] },
        { id: 'permissions', method: 'GET', path: '/v1/users/permissions', title: 'Permissions', as: 'token:@user', expect: 200, about: 'What each role may do; with a role behind it, that one.', answers: [[200, 'An object with the permissions of each role.'], [404, 'There is no such role.']], cases: [{ title: 'A role that is none', expect: 404, path: '/v1/users/permissions/emperor' }] },
      ],
    },
    {
      name: 'Policies',
      routes: [
        { id: 'cluster', method: 'GET', path: '/v1/cluster', title: 'Rules for passwords', as: 'password:@admin', expect: 200, about: 'Name of the cluster, and the rules for passwords in force.', answers: [[200, 'password_complexity, password_min_length, password_expiration_duration and more.'], UNAUTHORIZED] },
        {
          id: 'cluster-change', method: 'PUT', path: '/v1/cluster', title: 'Change the rules', as: 'password:@admin', type: 'json', body: { password_min_length: 12 }, expect: 200,
          about: 'Takes effect at once. Complexity counts for new passwords; expiry counts from the day a password was set.',
          fields: [['password_complexity', 'true or false', 'Upper and lower case, a digit, a special character, nothing four times in a row, not the e-mail address.'], ['password_min_length', '8 to 256', 'Counts only with complexity.'], ['password_expiration_duration', '0 to 36500 days', '0 is never.']],
          answers: [[200, 'The cluster as it is now.'], [400, 'invalid_schema.'], FORBIDDEN],
          cases: [
            { title: 'Too short a minimum', expect: 400, code: 'invalid_schema', body: { password_min_length: 7 } },
            { title: 'As somebody who may not', expect: 403, code: 'unauthorized_action', as: 'password:@user', plain: true },
          ],
        },
        { id: 'policy', method: 'GET', path: '/v1/cluster/policy', title: 'Rules for lockouts', as: 'password:@admin', expect: 200, about: 'After how many failures a user is locked out, and for how long.', answers: [[200, 'login_lockout_threshold, login_lockout_counter_reset_after, login_lockout_duration.'], UNAUTHORIZED] },
        {
          id: 'policy-change', method: 'PUT', path: '/v1/cluster/policy', title: 'Change the lockout', as: 'password:@admin', type: 'json', body: { login_lockout_duration: 1800 }, expect: 200,
          about: 'Takes effect at the next failure.',
          fields: [['login_lockout_threshold', 'failures', '0 switches the lockout off.'], ['login_lockout_counter_reset_after', 'seconds', 'A failure later than this after the one before counts from one again.'], ['login_lockout_duration', 'seconds', '0: until an administrator resets the password.']],
          answers: [[200, 'The policy as it is now.'], [400, 'invalid_schema.'], FORBIDDEN],
          cases: [{ title: 'A negative time', expect: 400, code: 'invalid_schema', body: { login_lockout_duration: -1 } }],
        },
        { id: 'hashing', method: 'PATCH', path: '/v1/cluster/change_password_hashing_algorithm', title: 'Change the hash', as: 'password:@admin', type: 'json', body: { algorithm: 'PBKDF2' }, expect: 400, about: 'The algorithm here is stronger than both that the product offers, so no change is taken.', fields: [['algorithm', 'text', 'SHA-256 or PBKDF2 in the product.']], answers: [[400, 'invalid_schema, always: the algorithm is a setting of the server.'], FORBIDDEN] },
      ],
    },
  ],
}
