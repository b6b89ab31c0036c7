// Writes the table: plain text for everybody, and colour for those who look at a terminal.

const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code) => (text) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
const [good, bad, strong] = [paint(32), paint(31), paint(1)];

const widths = [21, 15, 9, 10];
const line = (cells) => cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column] ?? 0))).join("  ");

export const head = () => `    ${strong(line(["client", "callers served", "presented", "session"]))}`;

export const title = (text) => strong(text);

export function row(name, { asked, served, presentations, alive, told, good: isGood }, ends) {
  const session = alive ? "alive" : ends === "signed out" ? "ended" : "dead";
  const cells = line([name, `${count(served)} of ${count(asked)}`, count(presentations), session]);
  const why = told ? `  ${told}` : "";
  return `  ${isGood ? good("+") : bad("-")} ${cells}${isGood ? why : bad(why)}`;
}

function count(number) {
  return number.toLocaleString("en");
}
