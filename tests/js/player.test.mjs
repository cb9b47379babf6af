// What the player of the cases calls a password that is shown.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { shows } from './player.mjs'

test('a short password is shown where it is no part of a token', () => {
  for (const text of ['ann-1', 'is `ann-1`.', '{"password":"ann-1"}', 'aann-1 é ann-1é', 'ann-1ann-1']) assert.ok(shows(text, 'ann-1'), text)
  for (const text of ['eyJhbann-1.x', 'x.ann-1_Q', '-ann-1', 'ann-10', 'ann-2']) assert.ok(!shows(text, 'ann-1'), text)
  assert.ok(shows('xann-long-1y', 'ann-long-1'))
  assert.ok(!shows('ann', 'ann'))
})
