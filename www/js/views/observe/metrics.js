// The OpenMetrics text of a server, read.

/** `[{ name, labels, value }]` for each sample. */
export function read(text) {
  const samples = []
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? []
    if (name === undefined || Number.isNaN(Number(value))) continue
    samples.push({ name, labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, held]) => [key, held])), value: Number(value) })
  }
  return samples
}

/** The one sample of this name, or 0. */
export const one = (samples, name) => samples.find(sample => sample.name === name)?.value ?? 0

/** Sums of all samples of this name by the value of a label. */
export function by(samples, name, label) {
  const sums = new Map()
  for (const sample of samples) if (sample.name === name) sums.set(sample.labels[label], (sums.get(sample.labels[label]) ?? 0) + sample.value)
  return sums
}

/** Counts of each bucket of a histogram over all its label sets: `[upper end, count]`, not cumulated. */
export function buckets(samples, name) {
  const cumulated = new Map()
  for (const sample of samples) if (sample.name === `${name}_bucket`) cumulated.set(sample.labels.le, (cumulated.get(sample.labels.le) ?? 0) + sample.value)
  const sorted = [...cumulated].map(([end, count]) => [end === '+Inf' ? Infinity : Number(end), count]).sort(([a], [b]) => a - b)
  return sorted.map(([end, count], at) => [end, count - (sorted[at - 1]?.[1] ?? 0)])
}
