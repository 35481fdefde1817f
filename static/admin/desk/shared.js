/* Help for admins with JavaScript. Every page of the desk works without it. */
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
