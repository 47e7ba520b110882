/**
 * PNG files, read and written to the bit; a canvas would give 8 of 16 bits. What foveate writes is read: not interlaced.
 */

import { checksum, joined, packed, unpacked } from "./bytes.js";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

/** Samples of a pixel by colour type: grey, RGB, palette, grey and alpha, RGBA. */
const CHANNELS = new Map([[0, 1], [2, 3], [3, 1], [4, 2], [6, 4]]);

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<{width: number, height: number, depth: number, samples: Uint8Array | Uint16Array}>} H×W×channels as
 *   they are stored; of a palette the indices.
 */
export async function readPng(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colour, interlaced] = [bytes[24], bytes[25], bytes[28]];
  const channels = CHANNELS.get(colour);
  if (!channels || interlaced) throw new Error("this kind of PNG isn't read here");
  const parts = [];
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (kind === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  const lineBytes = Math.ceil((width * channels * depth) / 8);
  const lines = unfiltered(await unpacked(joined(parts), "deflate"), height, lineBytes, Math.max(1, (channels * depth) / 8));
  return { width, height, depth, samples: samplesOf(lines, height, lineBytes, width * channels, depth) };
}

/**
 * @param {Uint8Array} data Lines, each after the number of its filter.
 * @param {number} height
 * @param {number} lineBytes
 * @param {number} step Bytes of a pixel.
 */
function unfiltered(data, height, lineBytes, step) {
  const lines = new Uint8Array(height * lineBytes);
  for (let row = 0; row < height; row++) {
    const filter = data[row * (lineBytes + 1)];
    const line = lines.subarray(row * lineBytes, (row + 1) * lineBytes);
    const above = row ? lines.subarray((row - 1) * lineBytes, row * lineBytes) : new Uint8Array(lineBytes);
    line.set(data.subarray(row * (lineBytes + 1) + 1, (row + 1) * (lineBytes + 1)));
    if (filter === 0) continue;
    for (let at = 0; at < lineBytes; at++) {
      const left = at < step ? 0 : line[at - step];
      const corner = at < step ? 0 : above[at - step];
      line[at] += predicted(filter, left, above[at], corner);
    }
  }
  return lines;
}

/**
 * @param {number} filter
 * @param {number} left
 * @param {number} above
 * @param {number} corner
 */
function predicted(filter, left, above, corner) {
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  const [toLeft, toAbove, toCorner] = [left, above, corner].map((value) => Math.abs(left + above - corner - value));
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/**
 * @param {Uint8Array} lines
 * @param {number} height
 * @param {number} lineBytes
 * @param {number} lineSamples
 * @param {number} depth
 */
function samplesOf(lines, height, lineBytes, lineSamples, depth) {
  if (depth === 8) return lines;
  const samples = depth === 16 ? new Uint16Array(height * lineSamples) : new Uint8Array(height * lineSamples);
  const most = 2 ** depth - 1;
  for (let row = 0; row < height; row++) {
    for (let place = 0; place < lineSamples; place++) {
      const bit = place * depth;
      const at = row * lineBytes + (bit >> 3);
      samples[row * lineSamples + place] =
        depth === 16 ? (lines[at] << 8) | lines[at + 1] : (lines[at] >> (8 - depth - (bit & 7))) & most;
    }
  }
  return samples;
}

/**
 * @param {Uint8Array | Uint16Array} samples H×W: 8 or 16 bits of grey.
 * @param {number} width
 * @param {number} height
 * @returns {Promise<Uint8Array>}
 */
export async function writePng(samples, width, height) {
  const depth = 8 * samples.BYTES_PER_ELEMENT;
  const lineBytes = width * samples.BYTES_PER_ELEMENT;
  const data = new Uint8Array(height * (lineBytes + 1));
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const value = samples[row * width + column];
      const at = row * (lineBytes + 1) + 1 + column * samples.BYTES_PER_ELEMENT;
      if (depth === 16) data[at] = value >> 8;
      data[at + samples.BYTES_PER_ELEMENT - 1] = value & 255;
    }
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = depth;
  return joined([SIGNATURE, chunk("IHDR", header), chunk("IDAT", await packed(data, "deflate")), chunk("IEND", new Uint8Array())]);
}

/**
 * @param {string} kind
 * @param {Uint8Array} content
 */
function chunk(kind, content) {
  const named = joined([new TextEncoder().encode(kind), content]);
  const frame = new DataView(new ArrayBuffer(8));
  frame.setUint32(0, content.length);
  frame.setUint32(4, checksum(named));
  return joined([new Uint8Array(frame.buffer, 0, 4), named, new Uint8Array(frame.buffer, 4, 4)]);
}
