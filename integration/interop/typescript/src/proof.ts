// Proofs and batches (section 8).
import { type Bytes, concat, demand, sha256, u16 } from "./bytes.js";
import { signingBytes, verified } from "./keys.js";

const maxBatch = 1024;

export const leafOf = (network: string, signedBytes: Bytes): Bytes =>
  sha256(Uint8Array.of(0), signingBytes(network, "tom-envelope-v1", signedBytes));

const parent = (left: Bytes, right: Bytes): Bytes => sha256(Uint8Array.of(1), left, right);

/** levelsOf is the tree, leaves first, the root alone last. */
export function levelsOf(leaves: Bytes[]): Bytes[][] {
  const levels = [leaves];
  for (let level = leaves; level.length > 1; levels.push(level)) {
    const next: Bytes[] = [];
    for (let i = 0; i < level.length; i += 2)
      next.push(i + 1 < level.length ? parent(level[i]!, level[i + 1]!) : level[i]!);
    level = next;
  }
  return levels;
}

export const statement = (size: number, root: Bytes): Bytes => concat(u16(size), root);

export const plainProof = (signature: Bytes): Bytes => concat(Uint8Array.of(0), signature);

export function batchProof(levels: Bytes[][], index: number, signature: Bytes): Bytes {
  const path = levels.map((level, depth) => level[(index >> depth) ^ 1] ?? new Uint8Array(0));
  return concat(Uint8Array.of(1), u16(levels[0]!.length), signature, u16(index), ...path);
}

interface Batch {
  size: number;
  index: number;
  path: Bytes[];
}

export interface Proof {
  signature: Bytes;
  batch?: Batch;
}

/** siblings is how long the path of a member must be. */
function siblings(index: number, size: number): number {
  let n = 0;
  for (let last = size - 1; last > 0; last >>= 1, index >>= 1) if (index & 1 || index < last) n++;
  return n;
}

export function parseProof(b: Bytes): Proof {
  if (b[0] === 0) {
    demand("proof of another length", b.length === 65);
    return { signature: b.slice(1) };
  }
  demand("proof of an unknown kind", b[0] === 1 && b.length >= 69);
  const at = (i: number) => (b[i]! << 8) | b[i + 1]!;
  const [size, index] = [at(1), at(67)];
  demand("no such member", size >= 1 && size <= maxBatch && index < size);
  demand("path of another length", b.length === 69 + 32 * siblings(index, size));
  const path = Array.from({ length: siblings(index, size) }, (_, i) => b.slice(69 + 32 * i, 101 + 32 * i));
  return { signature: b.slice(3, 67), batch: { size, index, path } };
}

function rootOf(leaf: Bytes, { size, index, path }: Batch): Bytes {
  let h = leaf;
  let next = 0;
  for (let last = size - 1; last > 0; last >>= 1, index >>= 1) {
    if (index & 1) h = parent(path[next++]!, h);
    else if (index < last) h = parent(h, path[next++]!);
  }
  return h;
}

export function verifyProof(network: string, from: Bytes, signedBytes: Bytes, { signature, batch }: Proof): void {
  const [tag, m] = batch
    ? ["tom-batch-v1", statement(batch.size, rootOf(leafOf(network, signedBytes), batch))]
    : ["tom-envelope-v1", signedBytes];
  demand("proof", verified(from, network, tag!, m as Bytes, signature));
}
