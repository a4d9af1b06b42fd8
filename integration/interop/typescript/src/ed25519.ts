// By what an Ed25519 signature is judged (section 3). What Node brings leaves out the
// factor 8.
import { createHash } from "node:crypto";
import { type Bytes, concat, littleEndian, unhex } from "./bytes.js";

export const p = (1n << 255n) - 19n;
const order = (1n << 252n) + 27742317777372353535851937790883648493n;

const mod = (a: bigint): bigint => ((a % p) + p) % p;

export function power(base: bigint, exponent: bigint): bigint {
  let r = 1n;
  for (base %= p; exponent > 0n; exponent >>= 1n, base = (base * base) % p) if (exponent & 1n) r = (r * base) % p;
  return r;
}

const d = mod(-121665n * power(121666n, p - 2n));
const rootOfMinusOne = power(2n, (p - 1n) / 4n);

/** A Point is x, y, z and t of RFC 8032 section 5.1.4: x/z and y/z, and t = xy/z. */
type Point = [bigint, bigint, bigint, bigint];

const neutral: Point = [0n, 1n, 1n, 0n];

/** decode reads a point as RFC 8032 section 5.1.3 does; undefined if it is none. */
function decode(b: Bytes): Point | undefined {
  const y = littleEndian(b) & ((1n << 255n) - 1n);
  const odd = BigInt(b[31]! >> 7);
  if (y >= p) return undefined;
  const u = mod(y * y - 1n);
  const v = mod(d * y * y + 1n);
  let x = mod(u * v ** 3n * power(u * v ** 7n, (p - 5n) / 8n));
  if (mod(v * x * x) === mod(-u)) x = mod(x * rootOfMinusOne);
  if (mod(v * x * x) !== u || (x === 0n && odd === 1n)) return undefined;
  if ((x & 1n) !== odd) x = p - x;
  return [x, y, 1n, mod(x * y)];
}

function add([x1, y1, z1, t1]: Point, [x2, y2, z2, t2]: Point): Point {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * d * t1 * t2);
  const e = mod(2n * z1 * z2);
  return [mod((b - a) * (e - c)), mod((e + c) * (b + a)), mod((e - c) * (e + c)), mod((b - a) * (b + a))];
}

function times(n: bigint, q: Point): Point {
  let r = neutral;
  for (; n > 0n; n >>= 1n, q = add(q, q)) if (n & 1n) r = add(r, q);
  return r;
}

const same = (a: Point, b: Point): boolean => mod(a[0] * b[2] - b[0] * a[2]) === 0n && mod(a[1] * b[2] - b[1] * a[2]) === 0n;
const ofSmallOrder = (q: Point): boolean => same(times(8n, q), neutral);

const base = decode(unhex("5866666666666666666666666666666666666666666666666666666666666666"))!;

/** verify judges a signature of a key over m. */
export function verify(key: Bytes, m: Bytes, signature: Bytes): boolean {
  if (signature.length !== 64) return false;
  const [a, r] = [decode(key), decode(signature.subarray(0, 32))];
  const s = littleEndian(signature.subarray(32));
  if (!a || !r || ofSmallOrder(a) || s >= order) return false;
  const hash = createHash("sha512").update(concat(signature.subarray(0, 32), key, m)).digest();
  const k = littleEndian(new Uint8Array(hash)) % order;
  return same(times(8n * s, base), times(8n, add(r, times(k, a))));
}
