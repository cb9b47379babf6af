// The users of an engine that has just been made. Their passwords are made here, for this tab's engine alone.

const WORDS = [
  'amber', 'anchor', 'autumn', 'basil', 'beacon', 'birch', 'bramble', 'canoe', 'cedar', 'cinder', 'clover', 'copper', 'coral', 'cotton',
  'dapple', 'ember', 'fennel', 'fjord', 'garnet', 'ginger', 'harbor', 'hazel', 'heron', 'indigo', 'island', 'juniper', 'lantern', 'linen',
  'lotus', 'maple', 'marble', 'meadow', 'mosaic', 'nectar', 'nutmeg', 'ochre', 'orchid', 'otter', 'pebble', 'pepper', 'plover', 'quartz',
  'quill', 'raven', 'river', 'saffron', 'sorrel', 'sparrow', 'tallow', 'teasel', 'thistle', 'timber', 'tundra', 'umber', 'velvet', 'violet',
  'walnut', 'willow', 'winter', 'zephyr',
]

/** An administrator and two others, with passwords that every policy takes. */
export const newPeople = () => [
  { name: 'admin', role: 'admin', email: '', password: passphrase() },
  { name: 'ada', role: 'db_viewer', email: 'ada@example.com', password: passphrase() },
  { name: 'ben', role: 'cluster_viewer', email: 'ben@example.com', password: passphrase() },
]

/** Three words and a number: about 25 bits, enough for an engine nobody else can reach. */
function passphrase() {
  const [a, b, c, number] = crypto.getRandomValues(new Uint32Array(4))
  const words = [a, b, c].map(random => WORDS[random % WORDS.length])
  return `${words.map(word => word[0].toUpperCase() + word.slice(1)).join('-')}-${10 + (number % 90)}`
}
