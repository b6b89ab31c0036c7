/** One member of a JSON object replaced in its text, so that everything else stays as somebody has written it. Pure. */

/** A string, a sign, or anything else that is one word. Strings are long: they are taken in as few steps as can be. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * The text with another value for the member, or with the member at its end.
 *
 * @param text of an object, or blank. That it can be parsed is known.
 */
export function withMember(text: string, name: string, value: unknown): string {
  const shown = JSON.stringify(value, undefined, 2).replaceAll("\n", "\n  ");
  const there = placeOfValue(text, name);
  if (there !== undefined) return text.slice(0, there.start) + shown + text.slice(there.end);
  const member = `  ${JSON.stringify(name)}: ${shown}\n`;
  const end = text.lastIndexOf("}");
  if (end < 0) return `{\n${member}}\n`;
  const before = text.slice(0, end).trimEnd();
  return `${before}${before.endsWith("{") ? "" : ","}\n${member}${text.slice(end)}`;
}

/** Where the value of a member begins and ends. Of several with one name the last one counts, as it does for the parser. */
function placeOfValue(text: string, name: string): { start: number; end: number } | undefined {
  let depth = 0;
  let key: string | undefined;
  let last: string | undefined;
  let value: { start: number; end: number } | undefined;
  let found: { start: number; end: number } | undefined;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (depth === 1 && token === ":" && key === undefined) {
      key = JSON.parse(last as string) as string;
    } else if (depth === 1 && (token === "," || token === "}")) {
      if (key === name) found = value;
      key = value = undefined;
    } else if (key !== undefined) {
      value = { start: value?.start ?? index, end: index + token.length };
    }
    if (token === "{" || token === "[") depth += 1;
    if (token === "}" || token === "]") depth -= 1;
    last = token;
  }
  return found;
}
