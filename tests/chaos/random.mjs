// Random draws that a seed repeats.

export class Random {
  #state;

  /** @param seed any text or number */
  constructor(seed) {
    // FNV-1a, so that seeds which differ in one character have nothing in common.
    this.#state = [...String(seed)].reduce((hash, char) => Math.imul(hash ^ char.codePointAt(0), 0x01000193), 0x811c9dc5);
  }

  /** From 0 to below 1. A Weyl sequence, well stirred. */
  share() {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let stirred = Math.imul(this.#state ^ (this.#state >>> 16), 0x21f0aaad);
    stirred = Math.imul(stirred ^ (stirred >>> 15), 0x735a2d97);
    return ((stirred ^ (stirred >>> 15)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`. */
  between(least, most) {
    return least + Math.floor(this.share() * (most - least + 1));
  }

  pick(list) {
    return list[this.between(0, list.length - 1)];
  }

  /** Draws from a deck that is shuffled anew when it is used up: nothing is left out for long, as with dice it may be. */
  deck(cards) {
    let left = [];
    return () => {
      if (left.length === 0) left = [...cards];
      return left.splice(this.between(0, left.length - 1), 1)[0];
    };
  }
}
