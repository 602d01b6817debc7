// What this page has loaded stays in the reader's browser, so that it opens again without a network.

/** Keep this page, all that it has loaded, and `more`. Gives whether the browser keeps it. */
export async function keepOffline(more = []) {
  if (!("serviceWorker" in navigator)) return false;
  await navigator.serviceWorker.register(new URL("../../service.js", import.meta.url));
  const { active } = await navigator.serviceWorker.ready;
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  const addresses = [location.href, ...loaded, ...more.map((each) => new URL(each, document.baseURI).href)];
  const keep = [...new Set(addresses.map((each) => each.split("#")[0]))].filter((each) => each.startsWith(location.origin));
  const worker = ["runner", "photo", "png"].map((name) => new URL(`./${name}.mjs`, import.meta.url).href);
  keep.push(...worker);
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(true);
    active.postMessage({ keep }, [port2]);
  });
}
