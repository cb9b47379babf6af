// The users of an engine that has just been made. Their passwords are made here, for this tab's engine alone.

const WORDS = [
  'amber', 'anchor', 'autumn', 'beacon', 'canoe', 'cedar', 'cinder', 'clover', 'copper', 'coral', 'cotton', 'ember', 'garnet', 'ginger',
  'harbor', 'heron', 'lantern', 'linen', 'maple', 'marble', 'meadow', 'otter', 'pebble', 'pepper', 'raven', 'river', 'saffron', 'tallow',
  'timber', 'walnut', 'willow', 'winter',
]

/** An administrator and two others, with the numbers that they get and passwords that every policy takes. */
export const newPeople = () => [
  { uid: 1, name: 'admin', role: 'admin', email: '', password: passphrase() },
  { uid: 2, name: 'ada', role: 'db_viewer', email: 'ada@example.com', password: passphrase() },
  { uid: 3, name: 'ben', role: 'cluster_viewer', email: 'ben@example.com', password: passphrase() },
]

/** Three words and a number: about 25 bits, enough for an engine nobody else can reach. */
function passphrase() {
  const [a, b, c, number] = crypto.getRandomValues(new Uint32Array(4))
  const words = [a, b, c].map(random => WORDS[random % WORDS.length])
  return `${words.map(word => word[0].toUpperCase() + word.slice(1)).join('-')}-${100 + (number % 900)}`
}
