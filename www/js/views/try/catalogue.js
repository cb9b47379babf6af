// All routes, by dialect; what is typed above them leaves only those that fit.

import { dialects } from '../../catalogue/index.js'
import { asTyped, h } from '../../dom.js'
import { methodBadge } from '../../parts/status.js'
import { to } from '../../route.js'

/** `{ element, mark }` */
export function catalogueList() {
  const links = []
  const sections = dialects.map(dialect => {
    const groups = dialect.groups.map(({ name, routes }) => {
      const items = routes.map(route => {
        const link = h('a', { href: to('try', dialect.id, route.id) }, methodBadge(route.method), h('span.what', h('span', route.title), h('code', shortened(route.path))))
        links.push({ link, route, dialect, text: `${route.method} ${route.path} ${route.title} ${dialect.name}`.toLowerCase() })
        return h('li', link)
      })
      return h('li', h('h3', name), h('ul', items))
    })
    return h('details', { open: true }, h('summary', h('h2', dialect.name), h('small', links.filter(known => known.dialect === dialect).length)), h('ul', groups))
  })
  const none = h('p.quiet', { hidden: true }, 'No route fits.')
  const filter = h('input', { type: 'search', placeholder: 'Find a route', 'aria-label': 'Find a route', ...asTyped, oninput: narrow })
  const drawer = h('details.drawer', h('summary', 'All requests'), h('div.routes', filter, none, sections))
  const element = h('nav.catalogue', { 'aria-label': 'Requests' }, drawer)
  const wide = matchMedia('(min-width: 64rem)')
  const settle = () => { drawer.open = wide.matches }
  wide.addEventListener('change', settle)
  settle()

  function narrow() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean)
    for (const { link, text } of links) link.parentElement.hidden = !words.every(word => text.includes(word))
    for (const list of element.querySelectorAll('.routes ul ul')) list.parentElement.hidden = [...list.children].every(item => item.hidden)
    for (const section of sections) {
      section.open = true
      section.hidden = [...section.querySelectorAll('ul ul li')].every(item => item.hidden)
    }
    none.hidden = sections.some(section => !section.hidden)
  }

  return {
    element,
    mark(route) {
      for (const { link, route: known, dialect } of links) {
        const current = known.id === route.id && dialect.id === route.dialect.id
        link.ariaCurrent = current || null
      }
      if (wide.matches) return
      if (drawer.contains(document.activeElement)) drawer.firstElementChild.focus()
      drawer.open = false
    },
  }
}

/** The path without what stands the same in front of all its neighbours. */
const shortened = path => path.replace('/broker/rest', '…').replace('change_password_hashing_algorithm', 'change_password_…')
