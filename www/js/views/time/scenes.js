// Something for the clock to end, one click each.

import { card, fill, h, Missing, once, twice } from '../../dom.js'
import { engine, signals } from '../../engines/current.js'
import { send } from '../../exchange.js'
import { aUser, person, stays } from '../../fillings.js'
import { isRefused, trial } from '../../lists.js'
import { standingNotice, say } from '../../parts/notice.js'
import { excuse } from '../try/excuse.js'

const as = 'password:@admin'
const SCENES = [
  {
    name: 'Tokens of a minute, an hour and a day',
    about: 'Then move the clock: one after the other ends.',
    async play() {
      for (const ttl of [60, 3600, 86_400]) await must({ method: 'POST', path: '/v1/users/authorize', as: 'password:@user', type: 'json', body: JSON.stringify({ ttl }) }, 'a token to watch')
      return 'Three tokens are running. An hour from now only one of them is good.'
    },
  },
  {
    name: 'Lock somebody out',
    about: 'Five wrong passwords. Then move the clock.',
    async play() {
      // On a live server nobody who is needed there.
      const user = engine.isTab ? engine.people.findLast(({ role }) => role !== 'admin') ?? person('@user') : await aUser()
      const { kind } = engine
      for (let tries = 0; tries < 5; tries += 1) {
        await trial(user, 'not the password', 'a wrong password')
        stays(kind)
      }
      const answer = await trial(user, user.password, 'the right password')
      if (answer.ok) return 'Five wrong passwords lock nobody out here.'
      if (!isRefused(answer)) throw new Missing(excuse(answer))
      return `${user.name} is refused now, with the right password too.`
    },
  },
  {
    name: 'Passwords expire after 90 days',
    about: 'Counted from the day each was set. Then move the clock by 120 days.',
    rules: true,
    async play() {
      await must({ method: 'PUT', path: '/v1/cluster', as, type: 'json', body: '{"password_expiration_duration": 90}' }, 'passwords expire')
      return 'Whoever does not change the password within 90 days must replace it before signing in again, administrators too.'
    },
  },
  {
    name: 'Passwords never expire',
    about: 'As it was.',
    rules: true,
    async play() {
      await must({ method: 'PUT', path: '/v1/cluster', as, type: 'json', body: '{"password_expiration_duration": 0}' }, 'passwords do not expire')
      return 'Passwords do not expire any more.'
    },
  },
]

/** `{ element }`; `ondone` is called after each scene. */
export function scenes({ ondone }) {
  const notice = standingNotice()
  const list = h('ul.cases')
  const element = card('scenes', 'Something to end', list, notice)
  signals.addEventListener('people', draw)
  draw()

  function draw() {
    const nobody = engine.people.length === 0
    fill(list, SCENES.map(scene => {
      const button = h('button.case.plain', { disabled: nobody }, h('span', scene.name, h('small', nobody ? 'Sign in first.' : scene.about)))
      button.onclick = () => once(button, () => play(scene), message => say(notice, message, 'bad'))
      return h('li', scene.rules && !engine.isTab ? twice(button, 'Press again: it changes the live server’s rules', button.onclick) : button)
    }))
  }

  async function play(scene) {
    say(notice)
    try {
      say(notice, await scene.play(), 'good')
    } finally {
      ondone()
    }
  }

  return { element }
}

async function must(draft, why) {
  const answer = await send(draft, why)
  if (!answer.ok) throw new Missing(answer.json?.error_code === 'password_expired' ? 'The administrator’s password has expired: move the clock back, or replace it.' : `${draft.method} ${draft.path} was refused with ${answer.status || 'no answer'}.`)
}
