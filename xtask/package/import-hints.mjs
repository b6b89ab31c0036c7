// What bundlers are told about an `import()` in the published files.

/**
 * Not to look into it: what it loads is a module of Node's, under a name that is in no package. Minifying drops comments, also
 * these, and webpack would then warn everybody who builds with this package.
 */
const HINTS = "/*webpackIgnore:true*//*@vite-ignore*/";

/** An `import()` of a name that is kept in a variable. */
const IMPORT = /(?<![\w$.])import\((?=[\w$]+\))/g;

/** @param {string} text of a minified file */
export function withHints(text) {
  return text.replace(IMPORT, `import(${HINTS}`);
}
