// Gives frames of one page processes of their own, where the browser can do that, as tabs have them.
//
// Frames of one origin normally share a process, and there a write to localStorage is seen by all of them at once. Between
// tabs it is not. A document isolation policy puts a frame in another agent cluster of the same origin: same storage, same
// locks, another process. Browsers that do not know the header keep one process; real tabs always have their own.

const POLICIES = ["isolate-and-require-corp", "isolate-and-credentialless"];

export function isolation(request, response, next) {
  const { pathname, searchParams } = new URL(request.url, "http://demo.invalid");
  const policy = POLICIES[Number(searchParams.get("process")) - 1];
  if (pathname === "/tab.html" && policy) response.setHeader("document-isolation-policy", policy);
  next();
}
