// The part of MessagePack that the specification uses (section 1).
import { type Bytes, concat, demand } from "./bytes.js";

const bigEndian = (n: bigint, size: number): Bytes => {
  const b = new Uint8Array(size);
  for (let i = size - 1; i >= 0; i--, n >>= 8n) b[i] = Number(n & 0xffn);
  return b;
};

const headed = (first: number, n: number | bigint, size: number): Bytes =>
  concat(Uint8Array.of(first), bigEndian(BigInt(n), size));

export function uint(v: number | bigint): Bytes {
  const n = BigInt(v);
  if (n < 0x80n) return Uint8Array.of(Number(n));
  if (n < 1n << 8n) return headed(0xcc, n, 1);
  if (n < 1n << 16n) return headed(0xcd, n, 2);
  if (n < 1n << 32n) return headed(0xce, n, 4);
  return headed(0xcf, n, 8);
}

export function bin(b: Bytes): Bytes {
  const n = b.length;
  if (n < 1 << 8) return concat(headed(0xc4, n, 1), b);
  if (n < 1 << 16) return concat(headed(0xc5, n, 2), b);
  return concat(headed(0xc6, n, 4), b);
}

export function str(s: string): Bytes {
  const b = new TextEncoder().encode(s);
  const n = b.length;
  if (n < 32) return concat(Uint8Array.of(0xa0 | n), b);
  if (n < 1 << 8) return concat(headed(0xd9, n, 1), b);
  return concat(headed(0xda, n, 2), b);
}

export function array(...elements: Bytes[]): Bytes {
  const n = elements.length;
  const head = n < 16 ? Uint8Array.of(0x90 | n) : headed(0xdc, n, 2);
  return concat(head, ...elements);
}

export const nil: Bytes = Uint8Array.of(0xc0);

/** Reader reads what others wrote. It believes no length before the bytes are there. */
export class Reader {
  at = 0;

  /** strict readers refuse all but the shortest form. */
  constructor(
    readonly b: Bytes,
    public strict: boolean,
  ) {}

  private byte(): number {
    const c = this.b[this.at++];
    demand("truncated", c !== undefined);
    return c;
  }

  private take(n: number): Bytes {
    demand("truncated", n <= this.b.length - this.at);
    return this.b.slice(this.at, (this.at += n));
  }

  private number(size: number): bigint {
    let n = 0n;
    for (const c of this.take(size)) n = (n << 8n) | BigInt(c);
    return n;
  }

  /** wide reads a number that has its shortest form only above least. */
  private wide(size: number, least: number | bigint): bigint {
    const n = this.number(size);
    demand("not the shortest form", !this.strict || n >= BigInt(least));
    return n;
  }

  uint(): bigint {
    const c = this.byte();
    if (c < 0x80) return BigInt(c);
    if (c >= 0xcc && c <= 0xcf)
      return this.wide(1 << (c - 0xcc), [0x80n, 1n << 8n, 1n << 16n, 1n << 32n][c - 0xcc]!);
    demand("not an integer", c >= 0xd0 && c <= 0xd3 && !this.strict);
    const bits = 8 << (c - 0xd0);
    const n = BigInt.asIntN(bits, this.number(bits / 8));
    demand("negative", n >= 0n);
    return n;
  }

  /** small reads an integer that must be at most max. */
  small(max: number): number {
    const n = this.uint();
    demand("too large", n <= BigInt(max));
    return Number(n);
  }

  bin(): Bytes {
    const c = this.byte();
    demand("not bytes", c >= 0xc4 && c <= 0xc6);
    return this.take(Number(this.wide(1 << (c - 0xc4), [0, 1 << 8, 1 << 16][c - 0xc4]!)));
  }

  exactly(n: number): Bytes {
    const b = this.bin();
    demand(`not ${n} bytes`, b.length === n);
    return b;
  }

  str(max: number): string {
    const c = this.byte();
    demand("not a text", (c & 0xe0) === 0xa0 || (c >= 0xd9 && c <= 0xdb));
    const n = (c & 0xe0) === 0xa0 ? c & 0x1f : Number(this.wide(1 << (c - 0xd9), [32, 1 << 8, 1 << 16][c - 0xd9]!));
    demand("text too long", n <= max);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.take(n));
    } catch {
      demand("not UTF-8", false);
    }
  }

  bool(): boolean {
    const c = this.byte();
    demand("not a boolean", c === 0xc2 || c === 0xc3);
    return c === 0xc3;
  }

  array(): number {
    const c = this.byte();
    if ((c & 0xf0) === 0x90) return c & 0x0f;
    demand("not an array", c === 0xdc || c === 0xdd);
    return Number(this.wide(c === 0xdc ? 2 : 4, c === 0xdc ? 16 : 1 << 16));
  }

  list<T>(max: number, read: () => T): T[] {
    const n = this.array();
    demand("too many elements", n <= max);
    return Array.from({ length: n }, read);
  }

  /** optional reads nil as undefined. */
  optional<T>(read: () => T): T | undefined {
    if (this.b[this.at] !== 0xc0) return read();
    this.at++;
    return undefined;
  }

  /** skip passes over one element that this version does not know. */
  skip(depth = 16): void {
    const c = this.b[this.at];
    demand("truncated or nested too deeply", c !== undefined && depth > 0);
    if (c < 0x80 || (c >= 0xcc && c <= 0xcf)) this.uint();
    else if (c >= 0xe0) this.at++;
    else if (c >= 0xd0 && c <= 0xd3) this.take(1 + (1 << (c - 0xd0)));
    else if (c === 0xc0 || c === 0xc2 || c === 0xc3) this.at++;
    else if (c >= 0xc4 && c <= 0xc6) this.bin();
    else if ((c & 0xe0) === 0xa0 || (c >= 0xd9 && c <= 0xdb)) this.str(this.b.length);
    else for (let n = this.array(); n > 0; n--) this.skip(depth - 1); // not a map either
  }

  end(): void {
    demand("bytes behind the end", this.at === this.b.length);
  }
}
