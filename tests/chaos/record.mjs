// The record of a chaos run: what happened, in order, and when, in milliseconds since the run began.

export class Record extends Array {
  /** On the wall clock, so that what other processes of this machine wrote down can be put between. */
  began = Date.now();

  static get [Symbol.species]() {
    return Array;
  }

  push(entry) {
    return super.push({ ...entry, at: Date.now() - this.began });
  }
}
