// `./waxseal` is a copy of the package, as `cargo xtask npm` leaves it in `target/npm/package`.

import { Waxseal } from './waxseal/entry/inline.js'
import { IndexedDbStore } from './waxseal/store/indexeddb.js'

const store = new IndexedDbStore('waxseal-example')
const waxseal = new Waxseal({ store, rootKey: () => store.rootKey() })

document.getElementById('sign-in').addEventListener('submit', async event => {
  event.preventDefault()
  const password = document.getElementById('password').value
  const verdict = document.getElementById('verdict')
  try {
    // The first password that is entered becomes the administrator's.
    const first = await waxseal.bootstrap({ password })
    const response = await waxseal.fetch(new Request('/v1/users/authorize', {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`admin:${password}`)))}`, 'content-type': 'application/json' },
      body: '{}',
    }))
    document.getElementById('token').textContent = response.ok ? (await response.json()).access_token : ''
    verdict.textContent = response.ok ? (first ? 'The administrator was made, and is signed in.' : 'Signed in.') : 'Wrong password.'
  } catch (error) {
    verdict.textContent = error.message
  }
})
