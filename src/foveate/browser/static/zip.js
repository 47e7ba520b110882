/** ZIP files without compression: what goes in is compressed already. */

import { checksum, joined } from "./bytes.js";

/** In UTF-8, as the names are. */
const FLAGS = 0x0800;

/** The first of January 1980, the earliest date that there is. */
const DATE = 0x21;

/**
 * @param {{name: string, bytes: Uint8Array}[]} files Below 4 GB and 65 536 in all.
 * @returns {Uint8Array}
 */
export function zipped(files) {
  const contents = [];
  const directory = [];
  let at = 0;
  for (const { name, bytes } of files) {
    const path = new TextEncoder().encode(name);
    const sum = checksum(bytes);
    // Version, flags, method, time, date, sum, size packed and not, length of the name, of what is added.
    const about = [[20, 2], [FLAGS, 2], [0, 2], [0, 2], [DATE, 2], [sum, 4], [bytes.length, 4], [bytes.length, 4], [path.length, 2], [0, 2]];
    const local = joined([fields([[0x04034b50, 4], ...about]), path, bytes]);
    contents.push(local);
    // Version of the maker; at the end: comment, disk, attributes, and where the file begins.
    const rest = [[0, 2], [0, 2], [0, 2], [0, 4], [at, 4]];
    directory.push(joined([fields([[0x02014b50, 4], [20, 2], ...about, ...rest]), path]));
    at += local.length;
  }
  const listed = joined(directory);
  const count = files.length;
  const end = fields([[0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [listed.length, 4], [at, 4], [0, 2]]);
  return joined([...contents, listed, end]);
}

/**
 * @param {number[][]} values Each with its bytes, 2 or 4, the lowest first.
 */
function fields(values) {
  const view = new DataView(new ArrayBuffer(values.reduce((length, [, bytes]) => length + bytes, 0)));
  let at = 0;
  for (const [value, bytes] of values) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}
