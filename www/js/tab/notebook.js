// What the page has to remember beside the engine's records: who was seeded, how far the clock is ahead, which policy. In a
// database of its own; in memory where the browser refuses one.

const NAME = 'waxseal-page'
const STORE = 'notes'

/** `{ lasting, read, write, forget }`; `read` gives `undefined` when there is nothing. */
export async function openNotebook() {
  try {
    // Asked once, to learn whether it may be written at all.
    const database = await open()
    await done(database.transaction(STORE, 'readwrite').objectStore(STORE).put(Date.now(), 'opened'))
    database.close()
    return lasting()
  } catch {
    return passing()
  }
}

function lasting() {
  let opening
  const connected = () => (opening ??= open().then(database => {
    const lost = () => { opening = undefined; database.close() }
    database.onversionchange = lost
    database.onclose = lost
    return database
  }).catch(error => { opening = undefined; throw error }))
  const store = async mode => {
    try {
      return (await connected()).transaction(STORE, mode).objectStore(STORE)
    } catch {
      // Somebody has deleted the database: the next one is empty.
      opening = undefined
      return (await connected()).transaction(STORE, mode).objectStore(STORE)
    }
  }
  return {
    lasting: true,
    read: async () => done((await store('readonly')).get('state')),
    write: async state => done((await store('readwrite')).put(state, 'state')),
    forget: async () => done((await store('readwrite')).delete('state')),
  }
}

function passing() {
  let held
  return {
    lasting: false,
    read: async () => held,
    write: async state => { held = state },
    forget: async () => { held = undefined },
  }
}

function open() {
  const request = indexedDB.open(NAME, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE)
  return done(request)
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error('another tab holds an older database'))
  })
}
