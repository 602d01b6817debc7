// The book's service worker: what a reader has opened, she can open again without a network; and pages may use threads.
const CACHE = "kdsharp";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/** With these headers a browser lets a page compute on several threads; a static host cannot send them. */
function isolated(answer) {
  const headers = new Headers(answer.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
}

/** From the network while there is one, so that a new edition of the book is never hidden by an old one. */
async function answer(request) {
  const cache = await caches.open(CACHE);
  try {
    const found = await fetch(request);
    if (found.status === 200) await cache.put(request, found.clone());
    return isolated(found);
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (!kept) throw error;
    return isolated(kept);
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const ours = request.url.startsWith(self.registration.scope) && request.method === "GET" && !request.headers.has("range");
  if (ours) event.respondWith(answer(request));
});

// A page that was open before this worker tells it what it had loaded.
self.addEventListener("message", (event) => {
  const keep = async () => {
    const cache = await caches.open(CACHE);
    for (const url of event.data.keep) {
      if (!(await cache.match(url))) await cache.add(url).catch(() => {});
    }
    event.ports[0].postMessage("kept");
  };
  event.waitUntil(keep());
});
