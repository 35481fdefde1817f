/*
 * The service worker. /sw.js puts `const RELEASE = {name, offline: [url, integrity], files: [[url, integrity], ...]}` in front.
 *
 * It keeps the static files of one release and one page without personal data; nothing else is ever kept here. Pages are
 * never kept, so there is nothing of a person to clear when they log out. If a later release keeps more than its files,
 * logout clears that too. Clear-Site-Data would bring no more: it would also remove the static files and this worker.
 */
"use strict";

const CACHE = `rilis-${RELEASE.name}`;
const FILES = new Map(RELEASE.files);
const [OFFLINE, OFFLINE_INTEGRITY] = RELEASE.offline;

// The new release is complete before it takes over, and then takes over at once. An open page goes on with the files it
// has, because this worker leaves their addresses to the network. The next navigation brings the new page and its files.
addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(keepRelease());
});

addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([clearOthers(), registration.navigationPreload?.enable(), clients.claim()]));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (request.method === "GET") event.respondWith(pageOrOffline(event));
    else event.respondWith(answerOrStay(event));
    if (request.method === "POST" && url.pathname === "/logout") event.waitUntil(clearOthers());
  } else if (request.method === "GET" && FILES.has(url.pathname + url.search)) {
    event.respondWith(kept(request));
  }
});

async function keepRelease() {
  const cache = await caches.open(CACHE);
  const keep = async (url, options) => {
    const answer = await fetch(url, { ...options, redirect: "error" });
    if (!answer.ok) throw new Error(`${answer.status} ${url}`);
    await cache.put(url, answer);
  };
  await Promise.all([
    ...[...FILES].map(([url, integrity]) => keep(url, { integrity })),
    keep(OFFLINE, { integrity: OFFLINE_INTEGRITY, credentials: "omit" }),
  ]);
}

async function clearOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
}

async function kept(request) {
  return (await caches.match(request.url, { cacheName: CACHE })) ?? fetch(request);
}

async function pageOrOffline(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match(OFFLINE, { cacheName: CACHE })) ?? Response.error();
  }
}

// A form is sent once and unchanged. If no answer comes, "204 No Content" keeps the page with all that was typed, and
// portal.js says so. Nobody knows here whether the form has arrived: the portal can take every form twice.
async function answerOrStay(event) {
  try {
    return await fetch(event.request);
  } catch {
    for (const page of await clients.matchAll({ type: "window" })) page.postMessage({ unanswered: event.request.url });
    return new Response(null, { status: 204 });
  }
}
