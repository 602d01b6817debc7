// PNG files of any size. A canvas could write them too, but not above 16 megapixels on a telephone.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

/** The checksum that a PNG has behind each of its chunks. */
export function crc(bytes) {
  let found = 0xffffffff;
  for (const each of bytes) found = TABLE[(found ^ each) & 255] ^ (found >>> 8);
  return (found ^ 0xffffffff) >>> 0;
}

function chunk(kind, content) {
  const made = new Uint8Array(content.length + 12), view = new DataView(made.buffer);
  view.setUint32(0, content.length);
  made.set(new TextEncoder().encode(kind), 4);
  made.set(content, 8);
  view.setUint32(content.length + 8, crc(made.subarray(4, content.length + 8)));
  return made;
}

/** A PNG as a Blob. `row(y)` gives the RGB bytes of a row; each is stored as its difference to the row above. */
export async function png(width, height, row) {
  const size = new DataView(new ArrayBuffer(13));
  size.setUint32(0, width);
  size.setUint32(4, height);
  size.setUint16(8, 0x0802); // 8 bits a channel, RGB
  let y = 0, above = new Uint8Array(3 * width);
  const lines = new ReadableStream({
    pull(controller) {
      if (y === height) {
        controller.close();
        return;
      }
      const here = row(y++), line = new Uint8Array(3 * width + 1);
      line[0] = 2; // "up"
      for (let i = 0; i < here.length; i++) line[i + 1] = here[i] - above[i];
      above = here;
      controller.enqueue(line);
    },
  });
  const packed = new Uint8Array(await new Response(lines.pipeThrough(new CompressionStream("deflate"))).arrayBuffer());
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  const parts = [signature, chunk("IHDR", new Uint8Array(size.buffer)), chunk("IDAT", packed), chunk("IEND", new Uint8Array())];
  return new Blob(parts, { type: "image/png" });
}
