import { createHash } from "node:crypto";

export type Bytes = Uint8Array;

export const hex = (b: Bytes): string => Buffer.from(b).toString("hex");
export const unhex = (s: string): Bytes => new Uint8Array(Buffer.from(s, "hex"));
export const ascii = (s: string): Bytes => new Uint8Array(Buffer.from(s, "ascii"));
export const concat = (...parts: Bytes[]): Bytes => new Uint8Array(Buffer.concat(parts));
export const equal = (a: Bytes, b: Bytes): boolean => Buffer.compare(a, b) === 0;
export const u16 = (n: number): Bytes => Uint8Array.of(n >> 8, n & 0xff);
export const sha256 = (...parts: Bytes[]): Bytes =>
  new Uint8Array(createHash("sha256").update(concat(...parts)).digest());

/** littleEndian reads an integer. */
export const littleEndian = (b: Bytes): bigint =>
  BigInt("0x" + hex(b.toReversed()));

/** Refused is thrown for what the specification says must be refused. */
export class Refused extends Error {}

export function demand(what: string, ok: boolean): asserts ok {
  if (!ok) throw new Refused(what);
}
