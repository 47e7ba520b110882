/**
 * What the parts of the page say to each other.
 *
 * @typedef {object} Engine What segments: a server, or the page itself.
 * @property {() => Promise<Model[]>} models
 * @property {(bytes: Uint8Array, name: string, model: string) => Promise<Result>} segment
 *   Rejects with a `Refused`, for people to read.
 *
 * @typedef {object} Model What of a model's card the page shows.
 * @property {string} name
 * @property {string} description
 * @property {string[]} classes
 * @property {string} sha256
 * @property {{fov: string}} preparation
 *
 * @typedef {object} Result One image, segmented. All arrays are H×W.
 * @property {string} name
 * @property {number} width
 * @property {number} height
 * @property {Uint16Array[]} probabilities One for each class, × 65535.
 * @property {Uint8Array[]} masks One for each class, as the model's threshold and its `min_size` have it.
 * @property {Uint8Array} fov
 * @property {string[]} classes
 * @property {boolean} softmax Whether they are several that exclude each other.
 * @property {number[]} thresholds One for each class, or one for all.
 * @property {number} minSize Parts of masks of fewer pixels are removed.
 * @property {({value: number, low: number | null, high: number | null} | null)[]} expectedF1 One for each class.
 * @property {string[]} notes
 * @property {string} model
 * @property {string} modelSha256
 * @property {string} imageSha256
 * @property {number} seconds
 * @property {Uint8Array} [photograph] PNG, by a server, of one whose file this browser can't read.
 * @property {Record<string, Uint8Array>} files PNG files that a server made, by kind.
 */

/**
 * Whether a field of view was found; else it is the whole image, and nothing is said of it.
 * @param {Result} result
 */
export function hasField(result) {
  return result.fov.includes(0);
}

/** An error whose message is for people, with what they can do. */
export class Refused extends Error {
  /**
   * @param {string} message
   * @param {string} [hint]
   */
  constructor(message, hint = "") {
    super(message);
    this.hint = hint;
  }
}
