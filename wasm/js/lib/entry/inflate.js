/** The octets in `text`: base64 of gzip. */
export async function inflate(text) {
  const packed = Uint8Array.from(atob(text), char => char.charCodeAt(0))
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
