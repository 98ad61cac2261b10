// Keccak-256, as EIP-712 hashes with; straight from the definition of the sponge.

const MASK = (1n << 64n) - 1n;
const RATE = 136; // bytes

/** Round constants and rotations, by the recurrences of the specification. */
function constants() {
  const rounds = [];
  let lfsr = 1;
  for (let round = 0; round < 24; round += 1) {
    let word = 0n;
    for (let j = 0; j < 7; j += 1) {
      if (lfsr & 1) word |= 1n << BigInt(2 ** j - 1);
      lfsr = lfsr & 0x80 ? ((lfsr << 1) ^ 0x171) & 0xff : lfsr << 1;
    }
    rounds.push(word);
  }
  const turns = Array(25).fill(0n);
  let [x, y] = [1, 0];
  for (let t = 0; t < 24; t += 1) {
    turns[x + 5 * y] = BigInt((((t + 1) * (t + 2)) / 2) % 64);
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return { rounds, turns };
}

const { rounds: ROUNDS, turns: TURNS } = constants();
const turned = (word, by) => ((word << by) | (word >> (64n - by))) & MASK;

function permute(a) {
  for (const constant of ROUNDS) {
    const c = [0, 1, 2, 3, 4].map((x) => a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
    for (let k = 0; k < 25; k += 1) a[k] ^= c[(k + 4) % 5] ^ turned(c[(k + 1) % 5], 1n);
    const b = Array(25);
    for (let x = 0; x < 5; x += 1) {
      for (let y = 0; y < 5; y += 1) b[y + 5 * ((2 * x + 3 * y) % 5)] = turned(a[x + 5 * y], TURNS[x + 5 * y]);
    }
    for (let k = 0; k < 25; k += 1) {
      const row = k - (k % 5);
      a[k] = b[k] ^ (~b[row + ((k + 1) % 5)] & MASK & b[row + ((k + 2) % 5)]);
    }
    a[0] ^= constant;
  }
}

/** Keccak-256 of a string's UTF-8 bytes, as 0x and 64 hexadecimal digits. */
export function keccak256(text) {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array(Math.ceil((bytes.length + 1) / RATE) * RATE);
  padded.set(bytes);
  padded[bytes.length] ^= 0x01;
  padded[padded.length - 1] ^= 0x80;
  const view = new DataView(padded.buffer);
  const state = Array(25).fill(0n);
  for (let start = 0; start < padded.length; start += RATE) {
    for (let k = 0; k < RATE / 8; k += 1) state[k] ^= view.getBigUint64(start + 8 * k, true);
    permute(state);
  }
  const out = new DataView(new ArrayBuffer(32));
  for (let k = 0; k < 4; k += 1) out.setBigUint64(8 * k, state[k], true);
  return `0x${[...new Uint8Array(out.buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
