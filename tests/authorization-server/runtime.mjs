// Loads oidc-provider without its remark on Node 20, where it works.

const remark = "Unsupported runtime";
const { warn } = console;

console.warn = (...words) => {
  if (!words.some((word) => String(word).includes(remark))) warn(...words);
};
const { Provider } = await import("oidc-provider").finally(() => {
  console.warn = warn;
});

export { Provider };
