/* SHA-256 (FIPS 180-4) of a file read piece by piece, in a worker of its own: the browser's digest() wants it whole in
   memory. Takes a File, posts its checksum in hexadecimal, or {error}. */
const K = new Int32Array(64), START = new Int32Array(8); // signed: what is above 2 ** 31 would be a slow float
{ // the first 32 bits of the fractions of the cube and square roots of the first primes
  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((p) => n % p)) primes.push(n);
  const root = (n, degree) => { // exact: 32 bits of the fraction, by whole numbers
    const wanted = BigInt(n) << BigInt(32 * degree);
    let low = 0n, high = 1n << 40n;
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (middle ** BigInt(degree) <= wanted) low = middle; else high = middle;
    }
    return Number(low & 0xffffffffn);
  };
  primes.forEach((p, i) => { K[i] = root(p, 3); if (i < 8) START[i] = root(p, 2); });
}

export class Sha256 {
  constructor() {
    this.h = START.slice();
    this.w = new Int32Array(64);
    this.rest = new Uint8Array(64);
    this.held = 0;
    this.bytes = 0;
  }

  update(data) {
    this.bytes += data.length;
    let at = 0;
    if (this.held) {
      at = Math.min(64 - this.held, data.length);
      this.rest.set(data.subarray(0, at), this.held);
      this.held += at;
      if (this.held < 64) return this;
      this.blocks(this.rest, 0, 64);
      this.held = 0;
    }
    const end = data.length - ((data.length - at) % 64);
    this.blocks(data, at, end);
    this.rest.set(data.subarray(end));
    this.held = data.length - end;
    return this;
  }

  hex() {
    const bits = this.bytes * 8, tail = new Uint8Array((this.held < 56 ? 64 : 128) - this.held);
    tail[0] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(tail.length - 4, bits >>> 0);
    this.update(tail);
    return [...this.h].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  blocks(data, from, to) {
    const { w } = this, k = K;
    let [h0, h1, h2, h3, h4, h5, h6, h7] = this.h;
    for (let at = from; at < to; at += 64) {
      for (let i = 0, j = at; i < 16; i += 1, j += 4) {
        w[i] = (data[j] << 24) | (data[j + 1] << 16) | (data[j + 2] << 8) | data[j + 3];
      }
      for (let i = 16; i < 64; i += 1) {
        const x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))
          + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
      }
      let a = h0, b = h1, c = h2, d = h3, e = h4, f = h5, g = h6, h = h7;
      for (let i = 0; i < 64; i += 1) {
        const one = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7)))
          + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0;
        const two = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10)))
          + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
      }
      h0 = (h0 + a) | 0; h1 = (h1 + b) | 0; h2 = (h2 + c) | 0; h3 = (h3 + d) | 0;
      h4 = (h4 + e) | 0; h5 = (h5 + f) | 0; h6 = (h6 + g) | 0; h7 = (h7 + h) | 0;
    }
    this.h.set([h0, h1, h2, h3, h4, h5, h6, h7]);
  }
}

if (typeof WorkerGlobalScope !== "undefined") {
  addEventListener("message", async ({ data: file }) => {
    try {
      const digest = new Sha256(), reader = file.stream().getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) digest.update(piece.value);
      postMessage(digest.hex());
    } catch (problem) {
      postMessage({ error: String(problem) });
    }
  });
}
